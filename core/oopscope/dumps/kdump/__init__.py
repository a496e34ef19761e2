"""kdump-compressed files: what makedumpfile, QEMU and `virsh dump --memory-only` write, of one file or a split set."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

from oopscope.codecs import names as codec_names
from oopscope.dumps import Facts, erased_by
from oopscope.dumps.kdump import whole
from oopscope.dumps.kdump.header import SIGNATURE, Header, parse_header
from oopscope.dumps.kdump.part import Part
from oopscope.errors import FormatError, MissingPage, OopscopeError, Why
from oopscope.notes import CpuState, Note, qemu_cpu_states, read_notes
from oopscope.sources import ByteSource
from oopscope.sources.file import FileSource
from oopscope.sources.wrapped import beginning

INCOMPLETE = 0x8  # a flag of the header's status
MAX_VMCOREINFO = 1 << 20
MAX_COUNTED = 1 << 33  # pages: beyond 32 TiB, facts do without counting them
MAX_RANGES = 1 << 16
MAX_NEIGHBOURS = 4096  # files looked at for the other parts of a split set


def probe(source: ByteSource) -> bool:
    """Tell whether a file is kdump-compressed."""
    return source.read_at(0, len(SIGNATURE)) == SIGNATURE


class KdumpDump:
    """A kdump-compressed dump, of one file or of a split set."""

    def __init__(self, sources: Sequence[ByteSource]) -> None:
        self._parts = sorted((Part(s) for s in sources), key=lambda p: (p.first, p.end))
        self._starts = [p.first for p in self._parts]
        self._first = self._parts[0]
        self.header = h = self._first.header
        self.page_size = h.block_size
        self._base = h.phys_base // h.block_size if _counts_from_base(h) else 0
        if any(_identity(p.header) != _identity(h) or not p.header.split for p in self._parts[1:]):
            raise FormatError(f"{sources[0].name} and the files given with it are not parts of one split dump")

    @property
    def files(self) -> list[ByteSource]:
        """All the files that it is read from."""
        return [part.source for part in self._parts]

    def page(self, pfn: int) -> bytes:
        """Return one page; MissingPage says whether it was excluded, cut off, damaged or never there."""
        part, rank = self._place_of(pfn)
        return part.page(rank, pfn * self.page_size)

    def packed(self, pfn: int) -> tuple[bytes, int]:
        """Return one page as it is stored, unproven, and the bit of its codec, 0 for none; MissingPage as of `page`."""
        part, rank = self._place_of(pfn)
        return part.packed(rank, pfn * self.page_size)

    def _place_of(self, pfn: int) -> tuple[Part, int]:
        """Return the file that a page is in, and how many of the dump's pages come before it; MissingPage."""
        n = pfn - self._base
        part = self._first if len(self._parts) == 1 else self._parts[max(0, bisect_right(self._starts, n) - 1)]
        rank = part.saved.find(n)
        if rank < 0:
            raise MissingPage(pfn * self.page_size, _why(part, n))
        if not part.first <= n < part.end:  # in a part that is not here
            raise MissingPage(pfn * self.page_size, "never-saved")
        return part, rank

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges that the first bitmap calls RAM, in bytes; reads that bitmap whole."""
        return list(self._bytes(self._first.ram.runs(MAX_RANGES)))

    def saved_ranges(self) -> Iterator[tuple[int, int]]:
        """Yield the physical ranges whose pages are in the dump, in bytes; reads the second bitmap as it goes."""
        return self._bytes(self._first.saved.runs())

    def saved_in(self, start: int, end: int) -> int:
        """Return how many bytes from physical address start to end are in the dump; counts its bitmap up to there."""
        first, last = start // self.page_size - self._base, -(-end // self.page_size) - self._base
        spans = ((p, max(first, p.first), min(last, p.end)) for p in self._parts)
        return sum(self._below(p, b) - self._below(p, a) for p, a, b in spans if a < b) * self.page_size

    def _below(self, part: Part, n: int) -> int:
        """Count the pages below n that a file still has."""
        return min(part.saved.rank(n), part.before + self._held.get(part.first, part.pages))

    @cached_property
    def _faults(self) -> dict[int, str]:
        """What is wrong with a file, by its first page."""
        return {p.first: f"{p.source.name} {fault}" for p in self._parts if (fault := whole.fault(p))}

    @cached_property
    def _held(self) -> dict[int, int]:
        """How many pages a file still has of which something is wrong, by its first page."""
        return {p.first: whole.held(p) for p in self._parts if p.first in self._faults}

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (physical address, bytes) of the pages that can be unpacked, without those known to be zero."""
        for part in self._parts:
            for n, page in part.blocks():
                yield (n + self._base) * self.page_size, page

    def _bytes(self, runs: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        base, size = self._base, self.page_size
        return (((a + base) * size, (b + base) * size) for a, b in runs)

    def notes(self) -> Iterator[Note]:
        """Yield the notes of the sub header; VMCOREINFO alone for a version 3 file."""
        h, source = self.header, self._first.source
        offset, size = h.note
        if offset and size > 0:
            yield from read_notes(source, offset, size, h.abi.endian)
        elif h.vmcoreinfo[0] and 0 < h.vmcoreinfo[1] <= MAX_VMCOREINFO:
            offset, size = h.vmcoreinfo
            yield Note("VMCOREINFO", 0, source.read_at(offset, size), size, offset)

    def cpus(self) -> list[CpuState]:
        """Return the CPUs as QEMU saw them; none in a dump that a kernel wrote."""
        return list(qemu_cpu_states(self.notes(), self.header.machine or "x86_64"))

    def facts(self) -> Facts:
        """Return what the headers say; counts both bitmaps, half a second for 6 TiB."""
        h, first = self.header, self._first
        countable = first.saved.bits <= MAX_COUNTED
        saved = sum(self._held.get(p.first, p.pages) for p in self._parts) if countable else None
        total = first.ram.count() if countable else None
        facts = Facts.of("kdump", [p.source for p in self._parts])  # after the counting, which may meet bad blocks
        facts.machine = h.machine or None
        facts.byteorder = "little" if h.abi.endian == "<" else "big"
        facts.compression = next(iter(codec_names(h.status)), None)
        facts.dump_level = h.dump_level if h.version >= 1 else None
        facts.page_size = h.block_size
        facts.pages_saved, facts.pages_total = saved, total
        facts.timestamp = h.timestamp or None
        facts.phys_base = h.phys_base
        facts.nodename = h.nodename or None
        facts.release = h.release or None
        offset, size = h.eraseinfo
        if offset and 0 < size <= MAX_VMCOREINFO:
            facts.erased = erased_by(first.source.read_at(offset, size))
        if h.status & INCOMPLETE:
            facts.lacks("the dump's writer says that it is incomplete (the disk was full)")
        for fault in self._faults.values() if countable else ():
            facts.lacks(fault)
        self._check_split(facts)
        return facts

    def _check_split(self, facts: Facts) -> None:
        """Say which pages no part of a split set covers."""
        if not self.header.split:
            return
        at = 0
        for part in self._parts:
            if part.first > at:
                facts.lacks(f"a part of the split set is missing: pages {at:#x} to {part.first:#x}")
            at = max(at, part.end)
        if at < self.header.max_mapnr:
            facts.lacks(f"a part of the split set is missing: pages from {at:#x} on")


def _why(part: Part, n: int) -> Why:
    """Say why page n, whose bit is clear or not there, is missing."""
    if 0 <= n < part.saved.bits and not part.saved.known(n):
        return "truncated"
    return "excluded" if part.ram.has(n) else "never-saved"


def _counts_from_base(h: Header) -> bool:
    """Tell whether page 0 is the first of RAM, not of the address space: makedumpfile on 32-bit ARM."""
    return h.abi.bits == 32 and h.machine.startswith("arm") and bool(h.release)


def _identity(h: Header) -> tuple[object, ...]:
    """Return what the parts of one split set have in common."""
    return h.timestamp, h.nodename, h.release, h.machine, h.block_size, h.bitmap_blocks, h.max_mapnr


def companions(source: ByteSource) -> list[Path]:
    """Return the other parts of a split set that lie beside one of them, by their headers; none for a whole dump."""
    header, path = parse_header(source), Path(source.name)
    if not header.split:
        return []
    found: dict[tuple[int, int], Path] = {}
    for other in islice(sorted(path.parent.iterdir()), MAX_NEIGHBOURS):
        try:
            if other.is_file() and not other.samefile(path):
                theirs = parse_header(candidate) if probe(candidate := beginning(FileSource(other))) else None
                if theirs and theirs.split and _identity(theirs) == _identity(header):
                    found.setdefault((theirs.start_pfn, theirs.end_pfn), other)
        except (OSError, OopscopeError):
            continue
    return [other for bounds, other in found.items() if bounds != (header.start_pfn, header.end_pfn)]


def open(sources: Sequence[ByteSource]) -> KdumpDump:
    """Open one file, or all the parts of a split set in any order."""
    return KdumpDump(sources)
