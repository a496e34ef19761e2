"""Xen's dump-core files, and a machine's pages as those of a paravirtualized guest."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

from builders.notes import note

CONTEXT = 5168


def context(cpu: int, user: bool = False, pv: bool = False, cr3: int | None = None) -> bytes:
    """Return a vcpu_guest_context: register n holds 0x1000 * (cpu + 1) + n."""
    raw = bytearray(CONTEXT)
    struct.pack_into("<Q", raw, 512, 0 if user else 4)  # VGCF_in_kernel
    struct.pack_into("<15Q", raw, 520, *(0x1000 * (cpu + 1) + n for n in range(15)))
    struct.pack_into("<Q", raw, 648, 0xFFFFFFFF81000000 + cpu)
    struct.pack_into("<HxxxxxxQQ", raw, 656, 0x33 if user else 0xE033 if pv else 0x10, 0x246, 0xFFFFC90000001000)
    struct.pack_into("<8Q", raw, 4984, 0x80050033, 0, 0xDEAD, 0x1234000 + cpu if cr3 is None else cr3, 0x6F0, 0, 0, 0)
    struct.pack_into("<3Q", raw, 5144, 0x7F00, 0xFFFF888000000000 + cpu, 0x1111)
    return bytes(raw)


def dump_core(pages: dict[int, bytes], cpus: list[bytes], endian: str = "<", host: Any = None) -> bytes:
    """Return the file; an entry of all ones stands at the end of the list of pages, as Xen leaves them.

    host: which of the host's pages each one is, of a paravirtualized guest.
    """
    numbers = [*sorted(pages), (1 << 64) - 1]
    listed = numbers if host is None else [n for page in numbers for n in (page, host(page) if page in pages else page)]
    table = struct.pack(f"{endian}{len(listed)}Q", *listed)
    bodies = b"".join(pages[n] for n in sorted(pages)) + bytes(4096)
    head = struct.pack(endian + "4Q", 0xF00FEBED if host else 0xF00FEBEE, len(cpus), len(numbers), 4096)
    parts = {
        ".note.Xen": note("Xen", 0x2000000, b"", endian) + note("Xen", 0x2000001, head, endian),
        ".xen_prstatus": b"".join(cpus),
        ".xen_p2m" if host else ".xen_pfn": table,
        ".xen_pages": bodies,
    }
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*parts, ".shstrtab"))
    parts[".shstrtab"] = names
    out, rows = bytearray(64), [(0,) * 10]
    for name, body in parts.items():
        rows.append((names.index(name.encode() + b"\0"), 1, 0, 0, len(out), len(body), 0, 0, 0, 8))
        out += body
    ident = b"\x7fELF\2" + (b"\1" if endian == "<" else b"\2") + b"\1" + bytes(9)
    out[:64] = ident + struct.pack(
        endian + "HHIQQQIHHHHHH",
        4,
        62 if endian == "<" else 22,
        1,
        0,
        0,
        len(out),
        0,
        64,
        0,
        0,
        64,
        len(rows),
        len(rows) - 1,
    )
    return bytes(out) + b"".join(struct.pack(endian + "IIQQQQIIQQ", *row) for row in rows)


_TABLE = struct.Struct("<512Q")
_FRAME = (1 << 52) - (1 << 12)
_PRESENT, _LARGE = 1, 1 << 7


def paravirtual(
    pages: dict[int, bytes], root: int, free: Iterator[int], host: Callable[[int], int]
) -> dict[int, bytes]:
    """Return a machine's pages as a paravirtualized guest's: its page tables hold the host's pages, and no large one.

    root: the page of the kernel's topmost table, of four levels. free: pages for the tables of what large ones map.
    """
    out, seen = dict(pages), set[int]()

    def rewrite(page: int, level: int) -> None:
        if page in seen or page not in pages:
            return
        seen.add(page)
        entries = list(_TABLE.unpack(pages[page]))
        for n, entry in enumerate(entries):
            if entry & _PRESENT:
                entries[n] = moved(entry, level)
        out[page] = _TABLE.pack(*entries)

    def moved(entry: int, level: int) -> int:
        page, flags = (entry & _FRAME) >> 12, entry & ~_FRAME
        if level and entry & _LARGE and level < 3:
            page, flags = split(page >> 9 * level << 9 * level, flags & ~_LARGE, level), flags & ~_LARGE
        elif level:
            rewrite(page, level - 1)
        return flags | host(page) << 12

    def split(first: int, flags: int, level: int) -> int:
        table, step = next(free), 1 << 9 * (level - 1)
        places = (first + n * step for n in range(512))
        below = (p if level == 1 else split(p, flags, level - 1) for p in places)
        out[table] = _TABLE.pack(*(flags | host(p) << 12 for p in below))
        return table

    rewrite(root, 3)
    return out
