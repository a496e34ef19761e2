"""Xen's dump-core files."""

import struct

from builders.notes import note

CONTEXT = 5168


def context(cpu: int, user: bool = False) -> bytes:
    """Return a vcpu_guest_context: register n holds 0x1000 * (cpu + 1) + n."""
    raw = bytearray(CONTEXT)
    struct.pack_into("<15Q", raw, 520, *(0x1000 * (cpu + 1) + n for n in range(15)))
    struct.pack_into("<Q", raw, 648, 0xFFFFFFFF81000000 + cpu)
    struct.pack_into("<HxxxxxxQQ", raw, 656, 0x33 if user else 0x10, 0x246, 0xFFFFC90000001000)
    struct.pack_into("<8Q", raw, 4984, 0x80050033, 0, 0xDEAD, 0x1234000 + cpu, 0x6F0, 0, 0, 0)
    struct.pack_into("<3Q", raw, 5144, 0x7F00, 0xFFFF888000000000 + cpu, 0x1111)
    return bytes(raw)


def dump_core(
    pages: dict[int, bytes], cpus: list[bytes], magic: int = 0xF00FEBEE, endian: str = "<", p2m: bool = False
) -> bytes:
    """Return the file; an entry of all ones stands at the end of the list of pages, as Xen leaves them."""
    numbers = [*sorted(pages), (1 << 64) - 1]
    table = struct.pack(f"{endian}{len(numbers)}Q", *numbers)
    bodies = b"".join(pages[n] for n in sorted(pages)) + bytes(4096)
    head = struct.pack(endian + "4Q", magic, len(cpus), len(numbers), 4096)
    parts = {
        ".note.Xen": note("Xen", 0x2000000, b"", endian) + note("Xen", 0x2000001, head, endian),
        ".xen_prstatus": b"".join(cpus),
        ".xen_p2m" if p2m else ".xen_pfn": table,
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
