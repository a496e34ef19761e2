"""Xen's dump-core files (`xl dump-core`) of guests of every kind.

Follows Xen's docs/misc/dump-core-format.txt: an ELF core with sections and no segments. `.xen_pfn` lists page numbers
ascending, `.xen_pages` holds the pages in that order, `.xen_prstatus` the CPUs (xen/include/public/arch-x86). The page
tables of a paravirtualized guest, cr3 with them, hold the host's page numbers; its file has `.xen_p2m` instead, pairs
of the guest's number and the host's, by which `place` leads back. Its kernel runs in ring 3, and a flag tells it apart.
"""

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence

from oopscope.dumps import CpuState, Facts, PlacedDump
from oopscope.elf import ET_CORE, is_elf, read_header, sections
from oopscope.errors import FormatError, MissingPage, Unsupported
from oopscope.notes import Note, SegmentRegister, read_notes
from oopscope.sources import ByteSource
from oopscope.sources.extents import LIMIT, Extents

HEADER_NOTE = 0x2000001
MAX_PAGES = 1 << 32
MAX_RUNS = 1 << 21  # of a paravirtualized guest's pages: 8 GiB even if no two were neighbours on the host
MAX_CPUS = 4096
CONTEXTS = ("x86_64",)  # machines whose vcpu_guest_context is known here
CONTEXT = 5168  # bytes of vcpu_guest_context on x86-64
_NO_PAGE = (1 << 64) - 1
_BATCH = 8192
_IN_KERNEL = 1 << 2  # VGCF_in_kernel
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
        self._pv = self._is_pv()
        super().__init__("xen", [source], source, self._runs())
        self._host = Extents(self._host_runs()) if self._pv else Extents()
        self.place: Callable[[int], int] | None = self._of_host if self._pv else None

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield (physical start, end, offset) of runs of pages that follow each other."""
        offset = self._sections[".xen_pages"].offset
        for first, _host, count, index in self._pages():
            if (first + count) * 4096 < LIMIT and offset + (index + count) * 4096 < LIMIT:
                yield first * 4096, (first + count) * 4096, offset + index * 4096

    def _host_runs(self) -> Iterator[tuple[int, int, int]]:
        """Yield (the host's start, end, the guest's start) of runs of pages that follow each other in both."""
        for n, (first, host, count, _index) in enumerate(self._pages()):
            if n >= MAX_RUNS:
                raise Unsupported(f"{self._source.name}: more than {MAX_RUNS} runs of pages, which are not followed")
            if (first + count) * 4096 < LIMIT and (host + count) * 4096 < LIMIT:
                yield host * 4096, (host + count) * 4096, first * 4096

    def _of_host(self, address: int) -> int:
        """Return the guest's address of one of the host's; MissingPage for a page that is not the guest's."""
        n = self._host.find(address)
        if n < 0 or address >= self._host.ends[n]:
            raise MissingPage(address, "never-saved")
        return self._host.wheres[n] + address - self._host.starts[n]

    def _pages(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield (page, the host's page, count, index) of the pages of the file, in runs."""
        table, width = self._sections[".xen_p2m" if self._pv else ".xen_pfn"], 2 if self._pv else 1
        count = min(table.size // (8 * width), self._sections[".xen_pages"].size // 4096, MAX_PAGES)
        for first in range(0, count, _BATCH):
            raw = self._source.read_at(table.offset + 8 * width * first, 8 * width * min(_BATCH, count - first))
            batch = array("Q", raw[: len(raw) // (8 * width) * (8 * width)])
            if self.header.endian == ">":
                batch.byteswap()
            pages, hosts, start = batch[::width], batch[width - 1 :: width], 0
            while start < len(pages):
                end = _run_end(pages, start)
                end = _host_end(hosts, start, end) if self._pv else end
                if pages[start] != _NO_PAGE:
                    yield pages[start], hosts[start], end - start, first + start
                start = end

    def _is_pv(self) -> bool:
        """Tell whether it is a paravirtualized guest; Unsupported for one of 32 bits, FormatError for odd pages."""
        name = self._source.name
        for note in self.notes():
            if note.name == "Xen" and note.type == HEADER_NOTE and len(note.desc) >= 32:
                _magic, _cpus, _pages, page_size = struct.unpack_from(self.header.endian + "4Q", note.desc)
                if page_size != self.page_size:
                    raise FormatError(f"{name}: a Xen dump with pages of {page_size} bytes")
        pv = ".xen_pfn" not in self._sections
        if pv and ".xen_p2m" not in self._sections:
            raise FormatError(f"{name}: a Xen dump without a list of its pages")
        if pv and self.header.machine not in CONTEXTS:
            raise Unsupported(f"{name}: a paravirtualized guest of Xen on {self.header.machine}, not on x86_64")
        return pv

    def notes(self) -> Iterator[Note]:
        """Yield Xen's own notes."""
        section = self._sections.get(".note.Xen")
        return read_notes(self._source, section.offset, section.size, self.header.endian) if section else iter(())

    def cpus(self) -> list[CpuState]:
        """Return the CPUs as Xen saw them, of an x86-64 guest."""
        section = self._sections.get(".xen_prstatus")
        if section is None or self.header.machine not in CONTEXTS:
            return []
        states = []
        for cpu in range(min(section.size // CONTEXT, MAX_CPUS)):
            raw = self._source.read_at(section.offset + cpu * CONTEXT, CONTEXT)
            if len(raw) == CONTEXT:
                states.append(_cpu_state(raw, cpu, self._pv))
        return states

    def facts(self) -> Facts:
        """Return what the headers say."""
        facts = super().facts()
        facts.machine = self.header.machine
        facts.byteorder = "little" if self.header.endian == "<" else "big"
        return facts


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


def _host_end(hosts: "array[int]", start: int, end: int) -> int:
    """Return where a run ends of the host's numbers, which are in no order."""
    ahead = hosts[start] - start
    return next((n for n in range(start + 1, end) if hosts[n] - n != ahead), end)


def _cpu_state(raw: bytes, cpu: int, pv: bool) -> CpuState:
    """Read a vcpu_guest_context, little-endian."""
    values = struct.unpack_from("<15Q", raw, 520)
    rip, rflags, rsp = (struct.unpack_from("<Q", raw, at)[0] for at in (648, 664, 672))
    general = dict(zip(_GENERAL, values, strict=True)) | {"rip": rip, "rflags": rflags, "rsp": rsp}
    control = struct.unpack_from("<8Q", raw, 4984)
    bases = struct.unpack_from("<3Q", raw, 5144)  # fs, gs of the kernel, gs of the user
    (cs,) = struct.unpack_from("<H", raw, 656)
    if pv and int.from_bytes(raw[512:516], "little") & _IN_KERNEL:
        cs &= ~3
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
