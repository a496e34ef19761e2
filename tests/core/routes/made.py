"""One dead machine's memory in every container: a real dump's pages, written by the builders.

Where a route writes RAM that the real dump left out, there are zeros. A plain image gets the note that a kernel keeps
in its memory put back, for the real dump has it only in its header.
"""

import os
import struct
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from builders.elf import Elf, Load
from builders.flattened import flatten
from builders.gcore import gcore
from builders.guestdump import guestdump
from builders.images import avml, lime
from builders.kdump import EXCLUDED, PACK, Kdump
from builders.migration import Migration, libvirt
from builders.notes import note
from builders.vmware import memory_tags, vmss
from builders.xen import dump_core, paravirtual
from oopscope.dumps import open_path
from oopscope.symbols.vmcoreinfo import VmcoreInfo

PAGE = 4096
BASE, SMALL = 0x7F81D7E00000, 2 << 20  # the mapping of a guest's RAM in the builder's core, and what it is built with


class Machine:
    """The pages of a real dump, by number, and what its header and notes say."""

    def __init__(self, path: Path) -> None:
        dump = open_path(path)
        self.facts, self.ranges = dump.facts(), dump.ranges()
        self.pages = {at // PAGE: page for at, page in dump.blocks()}
        notes = list(dump.notes())
        self.notes = b"".join(note(n.name, n.type, n.desc) for n in notes)
        self.info = next(n.desc for n in notes if n.name == "VMCOREINFO")
        self.top = self.ranges[-1][1] // PAGE

    @cached_property
    def runs(self) -> list[tuple[int, bytes]]:
        """(first page, bytes) of the pages that follow each other, the one with the note among them."""
        found: list[tuple[int, list[bytes]]] = []
        for n, page in sorted(self.with_note.items()):
            if found and n == found[-1][0] + len(found[-1][1]):
                found[-1][1].append(page)
            else:
                found.append((n, [page]))
        return [(n, b"".join(pages)) for n, pages in found]

    @cached_property
    def with_note(self) -> dict[int, bytes]:
        """The pages, with the kernel's own note in one that the dump left out."""
        free = next(n for n in range(256, self.top) if n not in self.pages)
        return {**self.pages, free: note("VMCOREINFO", 0, self.info).ljust(PAGE, b"\0")[:PAGE]}

    def kdump(self, codec: str | None, split: tuple[int, int] | None = None) -> bytes:
        """A kdump file of them; what is RAM but not among them was left out."""
        ram = {n: EXCLUDED for a, b in self.ranges for n in range(a // PAGE, b // PAGE)}
        f = self.facts
        return Kdump(
            {**ram, **self.pages},
            codec=codec,
            notes=self.notes,
            vmcoreinfo=self.info,
            split=split,
            nodename=f.nodename,
            release=f.release,
            timestamp=f.timestamp,
            phys_base=f.phys_base,
        ).build()

    def elf(self) -> bytes:
        """An ELF vmcore of them."""
        return Elf([Load(n * PAGE, data) for n, data in self.runs], [self.notes]).build()

    def stream(self) -> bytes:
        """A migration stream, with a page of one byte between."""
        sent = [("pc.ram", n, page) for n, page in sorted(self.with_note.items())]
        return Migration({"pc.ram": self.top}, [*sent, ("pc.ram", 0, 0)], machine="pc-i440fx-7.2").build()


def _one(name: str, build: Callable[[Machine], bytes]) -> Callable[[Machine, Path], list[Path]]:
    def write(machine: Machine, folder: Path) -> list[Path]:
        (folder / name).write_bytes(build(machine))
        return [folder / name]

    return write


def _split(machine: Machine, folder: Path) -> list[Path]:
    cuts = [0, *sorted(machine.pages)[:: len(machine.pages) // 3][1:3], machine.top]
    paths = []
    for n, bounds in enumerate(pairwise(cuts)):
        paths.append(folder / f"vmcore.{n}")
        paths[-1].write_bytes(machine.kdump("zlib", bounds))
    return paths[1:2]  # the others are found beside it


def _raw(name: str) -> Callable[[Machine, Path], list[Path]]:
    def write(machine: Machine, folder: Path) -> list[Path]:
        with (folder / name).open("wb") as f:
            _write_image(machine, f.fileno(), 0)
        return [folder / name]

    return write


def _write_image(machine: Machine, fd: int, at: int) -> None:
    os.ftruncate(fd, at + machine.top * PAGE)
    for n, page in machine.with_note.items():
        os.pwrite(fd, page, at + n * PAGE)


def _gcore(machine: Machine, folder: Path) -> list[Path]:
    """Build a core around a little RAM, then let its header point to the real one behind it: a sparse file."""
    size = machine.top * PAGE + (-machine.top * PAGE) % (1 << 21)
    core = bytearray(gcore(bytes(SMALL), f"qemu-system-x86_64 -M pc -m {size >> 20}"))
    for at in range(64, 64 + 56 * struct.unpack_from("<H", core, 56)[0], 56):
        vaddr, filesz = struct.unpack_from("<Q8xQ", core, at + 16)
        if vaddr == BASE and filesz == SMALL:
            struct.pack_into("<Q", core, at + 8, len(core))
            struct.pack_into("<QQ", core, at + 32, size, size)
        elif vaddr == BASE + SMALL:
            struct.pack_into("<Q", core, at + 16, BASE + size)
    path = folder / "core.4711"
    with path.open("wb") as f:
        f.write(core)
        f.flush()
        _write_image(machine, f.fileno(), len(core))
        f.truncate(len(core) + size)
    return [path]


def _vmware(machine: Machine, folder: Path) -> list[Path]:
    regions, memory = [], b""
    for n, data in machine.runs:
        regions.append((len(memory) // PAGE, n, len(data) // PAGE))
        memory += data
    (folder / "vm.vmss").write_bytes(vmss({"memory": memory_tags(regions)}))
    (folder / "vm.vmem").write_bytes(memory)
    return [folder / "vm.vmss"]


def _guestdump(machine: Machine, folder: Path) -> list[Path]:
    (folder / "debug.guest").write_bytes(guestdump(machine.top, []))
    with (folder / "debug.vmem").open("wb") as f:
        _write_image(machine, f.fileno(), 0)
    return [folder / "debug.guest"]


def _host(page: int) -> int:
    """Where a paravirtualized guest's page is on its host: no two neighbours of the guest's RAM are so there."""
    return 0x40000 + page * 40503 % (1 << 17) if page < 1 << 17 else page + (1 << 30)


def _xen_pv(machine: Machine) -> bytes:
    info = VmcoreInfo.parse(machine.info)
    root = (info.symbol("swapper_pg_dir") - 0xFFFFFFFF80000000 + info.number("phys_base")) // PAGE
    free = (n for n in range(256, machine.top) if n not in machine.with_note)
    pages = paravirtual(machine.with_note, root, free, _host)
    return dump_core(pages, [], host=_host)


def _ranges(machine: Machine) -> list[tuple[int, bytes]]:
    return [(n * PAGE, data) for n, data in machine.runs]


ROUTES: dict[str, Callable[[Machine, Path], list[Path]]] = {
    **{f"kdump {codec}": _one("vmcore", lambda m, c=codec: m.kdump(c)) for codec in (*PACK, None)},  # type: ignore[misc]
    "kdump flattened": _one("vmcore", lambda m: flatten(m.kdump("zlib"), 60_000, 7)),
    "kdump split": _split,
    "elf": _one("vmcore", Machine.elf),
    "elf flattened": _one("vmcore", lambda m: flatten(m.elf(), 60_000, 7)),
    "migration": _one("vm.stream", Machine.stream),
    "libvirt": _one("vm.save", lambda m: libvirt(m.stream(), machine="pc-i440fx-7.2")),
    "gcore": _gcore,
    "vmware": _vmware,
    "guestdump": _guestdump,
    "vmem": _raw("vm.vmem"),
    "xen": _one("core", lambda m: dump_core(m.with_note, [])),
    "xen pv": _one("core", _xen_pv),
    "lime": _one("ram.lime", lambda m: lime(_ranges(m))),
    "avml": _one("ram.avml", lambda m: avml(_ranges(m))),
    "raw": _raw("ram.raw"),
}
