"""Cores of a QEMU process, by gcore or by the kernel of the host: the guest's RAM is one of the process's mappings.

Follows the Linux core format (NT_PRPSINFO, one segment a mapping) and QEMU's command line, which lies on the process's
stack and tells the size of the RAM and the type of the machine, and so where the RAM lies. Nothing tells of the CPUs.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oopscope.dumps import Facts, PlacedDump
from oopscope.elf import ET_CORE, PT_LOAD, PT_NOTE, Segment, is_elf, notes, read_header, segments
from oopscope.errors import FormatError, NotADump, OopscopeError
from oopscope.lazy_re import lazy_re
from oopscope.qemu_boards import Placement, place
from oopscope.sources import ByteSource

NT_PRPSINFO = 3
MAX_SEGMENTS = 1 << 18
MAX_STACK = 1 << 19  # bytes at the stack's end searched for the command line
MAX_PARTS = 64  # mappings that one block of RAM was cut into
MIN_RAM = 8 << 20
_ALIGNMENT = 2 << 20  # of a mapping that is RAM
_USER = 1 << 63
_COMMAND = lazy_re(rb"\0(?:[^\0]*/)?(?:qemu|kvm)[^\0/]*\0-")
_SIZE = lazy_re(r"(?:size=)?(\d+)([bkmgtBKMGT]?)")
_UNITS = {"b": 1, "k": 1 << 10, "": 1 << 20, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_BIG_ENDIAN = ("s390x",)
_GUESTS = (
    ("aar", "aarch64"),
    ("ris", "riscv64"),
    ("s39", "s390x"),
    ("ppc", "ppc64"),
    ("x86", "x86_64"),
    ("i38", "x86_64"),
    ("loo", "loongarch64"),
)


class _Process(NamedTuple):
    """What the core tells of the QEMU process: its name, its mappings that may be written, its arguments."""

    name: str
    mappings: list[Segment]
    arguments: list[str]

    def argument(self, *names: str) -> str:
        """Return the last value given for an option; "" where there is none."""
        values = [b for a, b in zip(self.arguments, self.arguments[1:], strict=False) if a.lstrip("-") in names]
        return values[-1] if values else ""


def probe(source: ByteSource) -> bool:
    """Tell whether a file is the core of a process that calls itself qemu or kvm."""
    head = source.read_at(0, 64)
    if not is_elf(head) or ET_CORE not in (int.from_bytes(head[16:18], order) for order in ("little", "big")):
        return False
    try:
        return _name(source).startswith(("qemu", "kvm"))
    except OopscopeError:
        return False


def _name(source: ByteSource) -> str:
    """Return the process's name in NT_PRPSINFO of a 64-bit core without physical addresses; else nothing."""
    header = read_header(source)
    table: list[Segment] = []
    for segment in segments(source, header):
        if segment.type == PT_LOAD and segment.paddr:
            return ""
        if segment.type == PT_NOTE and len(table) < 64:
            table.append(segment)
    for note in notes(source, header, table):
        if note.name == "CORE" and note.type == NT_PRPSINFO and len(note.desc) >= 136:
            return note.desc[40:56].split(b"\0", 1)[0].decode("ascii", "replace")
    return ""


def _read_process(source: ByteSource) -> _Process:
    header = read_header(source)
    table: list[Segment] = []
    for segment in segments(source, header):
        if segment.type == PT_LOAD and segment.vaddr < _USER and segment.flags & 2 and len(table) < MAX_SEGMENTS:
            table.append(segment)
    table.sort(key=lambda s: s.vaddr)
    for segment in table[:-5:-1]:  # the stack is among the last
        size = min(segment.filesz, MAX_STACK)
        found = _COMMAND.search(stack := source.read_at(segment.offset + segment.filesz - size, size))
        if found:
            texts = stack[found.start() + 1 :].split(b"\0")[:512]
            return _Process(_name(source), table, [t.decode("utf-8", "replace") for t in texts])
    return _Process(_name(source), table, [])


class GcoreDump(PlacedDump):
    """The RAM of the guest of a QEMU process."""

    def __init__(self, source: ByteSource) -> None:
        process = _read_process(source)
        self.machine = _guest(process.name, read_header(source).machine)
        board = process.argument("machine", "M").removeprefix("type=").split(",")[0]
        size, parts = _find_ram(source, process)
        placed = place(board, size, self.machine, process.argument("cpu"))
        super().__init__("gcore", [source], source, _stretches(placed, parts))

    def facts(self) -> Facts:
        """Return what the core says."""
        facts = super().facts()
        facts.machine = self.machine
        facts.byteorder = "big" if self.machine in _BIG_ENDIAN else "little"
        return facts


def _guest(name: str, host: str | None) -> str:
    """Return the guest's architecture: it is in the program's name, else it is the host's."""
    kind = name.removeprefix("qemu-system-")[:3]
    return next((arch for prefix, arch in _GUESTS if kind == prefix), host or "x86_64")


def _find_ram(source: ByteSource, process: _Process) -> tuple[int, list[Segment]]:
    """Return the size of the guest's RAM, and the mappings that follow each other and hold it."""
    wanted = _ram_size(process.argument("m"))
    parts = _of_size(process.mappings, wanted) or sorted(process.mappings, key=lambda s: s.memsz)[-1:]
    held = sum(s.memsz for s in parts)
    if held < MIN_RAM:
        raise NotADump(source.name, f"a core of the process {process.name!r} without a guest's memory in it")
    if not any(s.filesz for s in parts):
        why = "QEMU ran with dump-guest-core=off, or the host's coredump_filter leaves it out"
        raise NotADump(source.name, f"a core of {process.name!r} without its guest's memory: {why}")
    return wanted if 0 < wanted <= held else held // _ALIGNMENT * _ALIGNMENT, parts


def _of_size(mappings: list[Segment], wanted: int) -> list[Segment]:
    """Return the mappings that follow each other without a gap and together have a size; none if no such are there."""
    for first, start in enumerate(mappings):
        total = 0
        for n, segment in enumerate(mappings[first : first + MAX_PARTS]):
            if total >= wanted or segment.vaddr != start.vaddr + total:
                break
            total += segment.memsz
            if total == wanted:
                return mappings[first : first + n + 1]
    return []


def _ram_size(text: str) -> int:
    """Return the bytes that QEMU's -m asks for: a number of MiB or with a unit; 0 for none or one not understood."""
    found = _SIZE.match(text)
    size = int(found[1]) * _UNITS[found[2].lower()] if found and len(found[1]) < 16 else 0
    return size if size < 1 << 52 else 0


def _stretches(placed: list[Placement], parts: list[Segment]) -> Iterator[tuple[int, int, int]]:
    """Yield (physical start, end, offset in the core) of the guest's RAM."""
    for piece in placed:
        at = 0
        for segment in parts:
            first = max(at, piece.offset)
            last = min(at + segment.filesz, piece.offset + piece.size)
            if first < last:
                physical = piece.physical + first - piece.offset
                yield physical, physical + last - first, segment.offset + first - at
            at += segment.memsz


def open(sources: Sequence[ByteSource]) -> GcoreDump:
    """Open the core of a QEMU process, which is one file."""
    if len(sources) != 1:
        raise FormatError(f"{sources[0].name}: a core is one file, but {len(sources)} were given")
    return GcoreDump(sources[0])
