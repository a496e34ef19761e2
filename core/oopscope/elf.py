"""ELF headers of dumps: the file header, program headers, sections and notes, of any word size and byte order.

Follows the ELF specification and binutils' PN_XNUM. It knows no dumps; symbol tables and DWARF are not its business.
Everything is read piece by piece: a dump may have a million segments and a gigabyte of notes.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import FormatError
from oopscope.notes import Note, read_notes
from oopscope.sources import ByteSource

MAGIC = b"\x7fELF"
ET_REL, ET_EXEC, ET_DYN, ET_CORE = 1, 2, 3, 4
PT_LOAD, PT_NOTE = 1, 4
PN_XNUM = 0xFFFF
MAX_SEGMENTS = 1 << 20  # QEMU may write more, but nobody has seen it
MAX_SECTIONS = 1 << 16

# e_machine and EI_CLASS to the machine's name as uname(1) says it; a pair is (little-endian, big-endian).
_MACHINES: dict[tuple[int, int], tuple[str, str]] = {
    (62, 64): ("x86_64", "x86_64"),
    (3, 32): ("i686", "i686"),
    (3, 64): ("i686", "i686"),
    (183, 64): ("aarch64", "aarch64_be"),
    (40, 32): ("armv7l", "armv7b"),
    (21, 64): ("ppc64le", "ppc64"),
    (20, 32): ("ppcle", "ppc"),
    (22, 64): ("s390x", "s390x"),
    (22, 32): ("s390", "s390"),
    (243, 64): ("riscv64", "riscv64"),
    (243, 32): ("riscv32", "riscv32"),
    (258, 64): ("loongarch64", "loongarch64"),
    (8, 64): ("mips64", "mips64"),
    (8, 32): ("mips", "mips"),
}


def other_order(machine: str) -> str | None:
    """Return the name of a machine in its other byte order; None where it has one order."""
    for pair in _MACHINES.values():
        if machine in pair and pair[0] != pair[1]:
            return pair[0] if machine == pair[1] else pair[1]
    return None


class Segment(NamedTuple):
    """A program header, the members of both word sizes in one order."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int


class Section(NamedTuple):
    """A section header with its name resolved."""

    name: str
    type: int
    offset: int
    size: int
    entsize: int


class ElfHeader(NamedTuple):
    """The file header; `phnum` and `shnum` are the real counts, taken from section 0 where they do not fit."""

    endian: str
    bits: int
    type: int
    machine_number: int
    flags: int
    phoff: int
    shoff: int
    phentsize: int
    phnum: int
    shentsize: int
    shnum: int
    shstrndx: int

    @property
    def machine(self) -> str | None:
        """The machine as uname(1) names it; None for one that is not in the table."""
        names = _MACHINES.get((self.machine_number, self.bits))
        return names and names[self.endian == ">"]


def is_elf(head: bytes) -> bool:
    """Tell whether the first bytes are an ELF file's."""
    return head.startswith(MAGIC)


def read_header(source: ByteSource) -> ElfHeader:
    """Read the file header; FormatError when it is cut off or contradicts itself."""
    head = source.read_at(0, 64)
    if len(head) < (64 if head[4:5] == b"\2" else 52) or not is_elf(head):
        raise FormatError(f"{source.name}: cut off within its ELF header ({source.size} bytes)")
    bits, endian = {1: 32, 2: 64}.get(head[4]), {1: "<", 2: ">"}.get(head[5])
    if bits is None or endian is None:
        raise FormatError(f"{source.name}: an ELF file of no known word size or byte order")
    fields = struct.unpack_from(endian + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH"), head, 16)
    kind, machine, _version, _entry, phoff, shoff, flags, _ehsize, phentsize, phnum, shentsize, shnum, shstrndx = fields
    if phnum == PN_XNUM or shnum == 0:
        size_0, info_0 = _section_0(source, endian, bits, shoff)
        if phnum == PN_XNUM and not info_0:
            raise FormatError(f"{source.name}: its program headers are counted in a section that is not in the file")
        phnum, shnum = info_0 if phnum == PN_XNUM else phnum, shnum or size_0
    header = ElfHeader(
        endian,
        bits,
        kind,
        machine,
        flags,
        phoff,
        shoff,
        phentsize,
        phnum,
        shentsize,
        min(shnum, MAX_SECTIONS),
        shstrndx,
    )
    if phnum > MAX_SEGMENTS or (phnum and phentsize < _segment(header).size):
        raise FormatError(f"{source.name}: an ELF file that claims {phnum} program headers of {phentsize} bytes")
    return header


def _section_0(source: ByteSource, endian: str, bits: int, shoff: int) -> tuple[int, int]:
    """Return section 0's size and info, where counts are kept that do not fit in the file header; else 0."""
    layout = struct.Struct(endian + ("32xQ4xI" if bits == 64 else "20xI4xI"))
    raw = source.read_at(shoff, layout.size) if shoff else b""
    size, info = layout.unpack(raw.ljust(layout.size, b"\0"))
    return size, info


def _segment(header: ElfHeader) -> struct.Struct:
    return struct.Struct(header.endian + ("IIQQQQQ8x" if header.bits == 64 else "IIIIIII4x"))


def segments(source: ByteSource, header: ElfHeader) -> Iterator[Segment]:
    """Yield the program headers; ends early where the file does."""
    layout, step = _segment(header), header.phentsize
    batch = max(1, 65536 // step) if step else 1
    for first in range(0, header.phnum, batch):
        count = min(batch, header.phnum - first)
        raw = source.read_at(header.phoff + first * step, count * step)
        for at in range(0, len(raw) - layout.size + 1, step):
            f = layout.unpack_from(raw, at)
            if header.bits == 64:
                yield Segment(*f)
            else:
                kind, offset, vaddr, paddr, filesz, memsz, flags = f
                yield Segment(kind, flags, offset, vaddr, paddr, filesz, memsz)


def sections(source: ByteSource, header: ElfHeader) -> Iterator[Section]:
    """Yield the sections with their names; none where there is no table or no name table."""
    layout = struct.Struct(header.endian + ("II16xQQ16xQ" if header.bits == 64 else "II8xII12xI"))
    if not header.shoff or not layout.size <= header.shentsize <= 256:
        return
    raw = source.read_at(header.shoff, header.shnum * header.shentsize)
    rows = [layout.unpack_from(raw, at) for at in range(0, len(raw) - layout.size + 1, header.shentsize)]
    if header.shstrndx >= len(rows):
        return
    _, _, names_at, names_size, _ = rows[header.shstrndx]
    names = source.read_at(names_at, min(names_size, 1 << 20))
    for name, kind, offset, size, entsize in rows:
        text = names[name : name + 256].split(b"\0", 1)[0].decode("ascii", "replace")
        yield Section(text, kind, offset, size, entsize)


def notes(source: ByteSource, header: ElfHeader, table: list[Segment]) -> Iterator[Note]:
    """Yield the notes of every PT_NOTE segment in turn."""
    for segment in table:
        if segment.type == PT_NOTE:
            yield from read_notes(source, segment.offset, segment.filesz, header.endian)
