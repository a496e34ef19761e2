"""Xen's dump-core files (`xl dump-core`) of HVM and PVH guests.

Follows Xen's docs/misc/dump-core-format.txt: an ELF core with sections and no segments. `.xen_pfn` lists page numbers
ascending, `.xen_pages` holds the pages in that order, `.xen_prstatus` the CPUs (xen/include/public/arch-x86). A
paravirtualized guest's page tables hold the host's page numbers, which this program does not follow.
"""

import struct
from array import array
from collections.abc import Iterator, Sequence

from oopscope.dumps import CpuState, Facts, PlacedDump
from oopscope.elf import ET_CORE, ElfHeader, Section, is_elf, read_header, sections
from oopscope.errors import FormatError, Unsupported
from oopscope.notes import Note, SegmentRegister, read_notes
from oopscope.sources import ByteSource
from oopscope.sources.extents import LIMIT

HEADER_NOTE = 0x2000001
HVM, PV = 0xF00FEBEE, 0xF00FEBED
MAX_PAGES = 1 << 32
MAX_CPUS = 4096
CONTEXT = 5168  # bytes of vcpu_guest_context on x86-64
_NO_PAGE = (1 << 64) - 1
_BATCH = 8192
_GENERAL = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi")


def probe(source: ByteSource) -> bool:
    """Tell whether a file is an ELF core with the sections that Xen writes."""
    head = source.read_at(0, 64)
    if not is_elf(head) or ET_CORE not in (int.from_bytes(head[16:18], order) for order in ("little", "big")):
        return False
    try:
        header = read_header(source)
        return header.phnum == 0 and ".xen_pages" in {s.name for s in sections(source, header)}
    except FormatError:
        return False


class XenDump(PlacedDump):
    """The memory of one guest of Xen's."""

    page_size = 4096

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self.header = read_header(source)
        self._sections = {s.name: s for s in sections(source, self.header)}
        self._check_kind()
        super().__init__("xen", [source], source, _runs(source, self.header, self._sections))

    def _check_kind(self) -> None:
        """Raise Unsupported for a guest that is not fully virtual, FormatError for pages of another size."""
        name = self._source.name
        for note in self.notes():
            if note.name == "Xen" and note.type == HEADER_NOTE and len(note.desc) >= 32:
                magic, _cpus, _pages, page_size = struct.unpack_from(self.header.endian + "4Q", note.desc)
                if magic == PV:
                    raise Unsupported(f"{name}: a paravirtualized guest of Xen, whose page tables are the host's")
                if page_size != self.page_size:
                    raise FormatError(f"{name}: a Xen dump with pages of {page_size} bytes")
        if ".xen_pfn" not in self._sections:
            raise Unsupported(f"{name}: a Xen dump without a list of pages (a paravirtualized guest has another)")

    def notes(self) -> Iterator[Note]:
        """Yield Xen's own notes."""
        section = self._sections.get(".note.Xen")
        return read_notes(self._source, section.offset, section.size, self.header.endian) if section else iter(())

    def cpus(self) -> list[CpuState]:
        """Return the CPUs as Xen saw them, of an x86-64 guest."""
        section = self._sections.get(".xen_prstatus")
        if section is None or self.header.machine != "x86_64":
            return []
        states = []
        for cpu in range(min(section.size // CONTEXT, MAX_CPUS)):
            raw = self._source.read_at(section.offset + cpu * CONTEXT, CONTEXT)
            if len(raw) == CONTEXT:
                states.append(_cpu_state(raw, cpu))
        return states

    def facts(self) -> Facts:
        """Return what the headers say."""
        facts = super().facts()
        facts.machine = self.header.machine
        facts.byteorder = "little" if self.header.endian == "<" else "big"
        return facts


def _runs(source: ByteSource, header: ElfHeader, table: dict[str, Section]) -> Iterator[tuple[int, int, int]]:
    """Yield (physical start, end, offset) of runs of pages that follow each other."""
    numbers, pages = table[".xen_pfn"], table[".xen_pages"]
    count = min(numbers.size // 8, pages.size // 4096, MAX_PAGES)
    for first in range(0, count, _BATCH):
        raw = source.read_at(numbers.offset + 8 * first, 8 * min(_BATCH, count - first))
        batch = array("Q", raw[: len(raw) // 8 * 8])
        if header.endian == ">":
            batch.byteswap()
        start = 0
        while start < len(batch):
            end = _run_end(batch, start)
            at, offset = batch[start] * 4096, pages.offset + (first + start) * 4096
            if batch[start] != _NO_PAGE and at + (end - start) * 4096 < LIMIT and offset + (end - start) * 4096 < LIMIT:
                yield at, at + (end - start) * 4096, offset
            start = end


def _run_end(batch: "array[int]", start: int) -> int:
    """Return where a run of numbers, each one more than the last, ends; by halving, since numbers ascend."""
    good, bad = start, len(batch)
    while bad - good > 1:
        middle = (good + bad) // 2
        if batch[middle] - batch[start] == middle - start:
            good = middle
        else:
            bad = middle
    return good + 1


def _cpu_state(raw: bytes, cpu: int) -> CpuState:
    """Read a vcpu_guest_context, little-endian."""
    values = struct.unpack_from("<15Q", raw, 520)
    rip, rflags, rsp = (struct.unpack_from("<Q", raw, at)[0] for at in (648, 664, 672))
    general = dict(zip(_GENERAL, values, strict=True)) | {"rip": rip, "rflags": rflags, "rsp": rsp}
    control = struct.unpack_from("<8Q", raw, 4984)
    bases = struct.unpack_from("<3Q", raw, 5144)  # fs, gs of the kernel, gs of the user
    (cs,) = struct.unpack_from("<H", raw, 656)
    user = cs & 3 == 3
    segments = {
        "cs": SegmentRegister(cs, 0, 0),
        "fs": SegmentRegister(struct.unpack_from("<H", raw, 704)[0], bases[0], 0),
        "gs": SegmentRegister(struct.unpack_from("<H", raw, 712)[0], bases[2 if user else 1], 0),
    }
    registers = {"cr0": control[0], "cr2": control[2], "cr3": control[3], "cr4": control[4]}
    return CpuState(cpu, "x86_64", general, segments, registers, bases[1] if user else bases[2])


def open(sources: Sequence[ByteSource]) -> XenDump:
    """Open a dump-core file, which is one file."""
    if len(sources) != 1:
        raise FormatError(f"{sources[0].name}: a Xen dump is one file, but {len(sources)} were given")
    return XenDump(sources[0])
