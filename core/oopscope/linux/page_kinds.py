"""What kind each page of RAM is, by its struct page: free, page cache, anonymous, slab, page tables, the kernel's own.

Follows mm/page_alloc.c; what one struct says is page_types' business, where they lie struct_pages'.
Machines of any size cost the same: beyond MAX_UNITS pieces of the arrays a sample is taken, one piece at a place of
chance in each equal share of RAM, and what comes of it is an estimate.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, groupby
from typing import NamedTuple

from oopscope.arch import Mapping
from oopscope.errors import Absent, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.page_types import PAGE, PageStruct, PageTypes, head_of
from oopscope.linux.struct_pages import struct_pages
from oopscope.memory.coverage import Counted
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.sources.extents import Extents

UNIT = 64  # page frames looked at together: their structs fill a page
MAX_UNITS = 4096  # 1 GiB of RAM is counted whole
MAX_ORDER = 10  # free blocks have 1 << 10 pages at most
MAX_HEADS = 1 << 14
MIN_SIZE, MAX_SIZE = 32, 256  # of struct page
MAX_SECTIONS, MAX_MAPPED = 1 << 14, 1 << 17  # looked up to tell where the array itself lies: 2 TiB of RAM
SECTION = 128 << 20
KINDS = (
    *("free", "cache", "anonymous", "slab", "page table", "huge", "kernel image", "struct page"),
    *("reserved", "offline", "other kernel", "unknown"),
)
ANY = ("reserved", "other kernel")  # kinds that the place of a page may tell more of


class Share(NamedTuple):
    """A kind of page: how many there are, and how many of them the dump holds (None: the container cannot say)."""

    kind: str
    pages: int
    held: int | None


class Shares(NamedTuple):
    """All kinds that occur, and which part of the pages was looked at: below 1 the numbers are an estimate."""

    shares: list[Share]
    part: float


class PageStructs:
    """The array of struct pages, and of which kind each page is by its own."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, self.size = kernel, kernel.types.sizeof("page")
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise Absent("this kernel's struct page is not known")
        self._memory = _apart(kernel)
        self._types = PageTypes(kernel, self._memory)
        self._structs = PAGE.bind(kernel.types, self._memory, kernel.endian)
        self._heads: dict[int, str] = {}
        self._free, self._end = 0, -1  # of the last block of free pages, and of the last unit
        self._where = struct_pages(kernel)
        self._image = self._find_image()
        self.array = Extents()

    def place(self, frame: int) -> int:
        """Return where the struct of a page frame lies, or would; ReadError where no section of memory has it."""
        return self._where.of(frame)

    def _find_image(self) -> range:
        start, end = self._kernel.find_symbol("_text"), self._kernel.find_symbol("_end")
        if not start or not end or end < start:
            return range(0)
        first = self._kernel.memory.translate(start) // self._kernel.memory.page_size
        return range(first, first + (end - start) // self._kernel.memory.page_size)

    def pages(self, first: int, count: int) -> list[PageStruct]:
        """Read the structs of some page frames; ReadError where one of them is not to be had."""
        return self._structs.array(self.place(first), count)

    def kinds(self, first: int, count: int) -> list[str]:
        """Return the kind of each of some page frames, of one unit; ReadError where the structs are not to be had.

        What lies in a block of free pages is told by the first of its pages alone.
        """
        free = self._free if first == self._end else self._free_before(first)
        skip = min(max(free - first, 0), count)
        found, size, plain, placed = ["free"] * skip, self.size, self._types.plain, self._all_placed(first, count)
        at = first + skip
        if skip == count:
            self._free, self._end = free, first + count
            return found
        address = self.place(at)
        for pfn, page in enumerate(self._structs.tuples(address, count - skip), at):
            flags, compound, mapping, private, page_type, _ = page
            if pfn < free:
                found.append("free")
            elif compound & 1:
                found.append(self._of_head(pfn, address + (pfn - at) * size, PageStruct(*page)))
            else:
                kind = plain(flags, page_type, mapping)
                if kind is None:
                    kind = self._types.kind(address + (pfn - at) * size, PageStruct(*page))
                if kind == "free":
                    free = pfn + (1 << min(private, MAX_ORDER))
                elif kind in ANY:
                    kind = placed[kind] if placed else self._placed(pfn, kind)
                found.append(kind)
        self._free, self._end = free, first + count
        return found

    def _free_before(self, first: int) -> int:
        """Return the end of a free block that begins before a unit and reaches it: blocks are aligned to their size."""
        for order in range(1, MAX_ORDER + 1):
            head = first & -(1 << order)
            if head == first:
                continue
            try:
                page = self.pages(head, 1)[0]
            except ReadError:
                continue
            if self._types.of_type(page) == "free" and order <= page.private <= MAX_ORDER:
                return head + (1 << page.private)
        return 0

    def _of_head(self, pfn: int, address: int, page: PageStruct) -> str:
        """Return the kind of a tail page by the first of its compound page."""
        place = head_of(address, page)
        head = self._where.frame_of(place, pfn)
        if head is None or not head < pfn:
            return "unknown"
        if head not in self._heads:
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            try:
                first = self.pages(head, 1)[0]
                self._heads[head] = "unknown" if first.compound & 1 else self._kind(head, place, first)
            except ReadError:
                self._heads[head] = "unknown"
        return self._heads[head]

    def _kind(self, pfn: int, address: int, page: PageStruct) -> str:
        kind = self._types.kind(address, page)
        return self._placed(pfn, kind) if kind in ANY else kind

    def _all_placed(self, first: int, count: int) -> dict[str, str] | None:
        """Return what pages of a kind of ANY are for all of a unit; None where it is in one place with a part only."""
        at, image = self.array.find(first), self._image
        if at >= 0 and first + count <= self.array.ends[at]:
            return dict.fromkeys(ANY, "struct page")
        if at != self.array.find(first + count - 1) or (at >= 0 and first < self.array.ends[at]):
            return None
        if first + count <= image.start or first >= image.stop:
            return {kind: kind for kind in ANY}
        inside = first in image and first + count - 1 in image
        return {"reserved": "kernel image", "other kernel": "other kernel"} if inside else None

    def _placed(self, pfn: int, kind: str) -> str:
        """Return the kind of a page that its struct says little of, by where it lies."""
        at = self.array.find(pfn)
        if at >= 0 and pfn < self.array.ends[at]:
            return "struct page"
        return "kernel image" if kind == "reserved" and pfn in self._image else kind

    def find_array(self, ranges: list[tuple[int, int]]) -> None:
        """Find where the array itself lies, section by section, so that its own pages are told."""
        page = self._kernel.memory.page_size
        found: list[tuple[int, int, int]] = []
        known, sections = set[int](), SECTION // page
        for start, end in ranges:
            for section in range(start // sections, -(-end // sections)):
                if len(known) >= MAX_SECTIONS or len(found) >= MAX_MAPPED:
                    break
                if section not in known:
                    known.add(section)
                    places = self._mapped(section * sections, sections)
                    found += [(at // page, (at + size) // page, 0) for at, size in places]
        self.array = Extents(found)

    def _mapped(self, frame: int, count: int) -> Iterator[tuple[int, int]]:
        """Yield (physical address, bytes) of what the structs of some page frames are mapped to."""
        page, large = self._kernel.memory.page_size, 2 << 20
        try:
            start, size = self.place(frame), count * self.size
        except ReadError:
            return
        for at in range(start, start + size, large):
            first, last = self._place(at), self._place(at + large - page)
            if first is not None and last is not None and last - first == large - page:
                yield first, large
            elif first is not None or last is not None:
                places = (self._place(small) for small in range(at, at + large, page))
                yield from ((place, page) for place in places if place is not None)

    def _place(self, address: int) -> int | None:
        try:
            return self._kernel.memory.translate(address)
        except ReadError:
            return None


def _apart(kernel: Kernel) -> Memory:
    """Return the kernel's memory with a cache of its own: looking at everything leaves the common one as it is."""
    memory = kernel.memory
    size = memory.page_size

    def translate(address: int) -> Mapping:
        return Mapping(memory.translate(address & -size), size)

    return Memory(PhysicalMemory(kernel.dump), translate, size.bit_length() - 1, kernel.arch.word)


def _units(ranges: list[tuple[int, int]], total: int) -> Iterator[tuple[int, int]]:
    """Yield [first, end) of the page frames to look at: all, or a sample from each equal share of RAM."""
    if total <= MAX_UNITS * UNIT:
        for start, end in ranges:
            at = start
            while at < end:
                following = min((at // UNIT + 1) * UNIT, end)
                yield at, following
                at = following
        return
    before = [0, *accumulate(end - start for start, end in ranges)]
    for n in range(MAX_UNITS):
        low, high = total * n // MAX_UNITS, total * (n + 1) // MAX_UNITS
        place = low + n * 2654435761 % (high - low)  # of no period that memory could share
        which = bisect_right(before, place) - 1
        start, end = ranges[which]
        first = (start + place - before[which]) // UNIT * UNIT
        yield max(first, start), min(first + UNIT, end)


def _count(kernel: Kernel) -> Shares:
    page = kernel.memory.page_size
    ranges = [(start // page, end // page) for start, end in kernel.dump.ranges() if end - start >= page]
    total = sum(end - start for start, end in ranges)
    structs = PageStructs(kernel)
    structs.find_array(ranges)
    counted = kernel.dump if isinstance(kernel.dump, Counted) else None
    pages, held, looked = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0), 0
    for first, end in _units(ranges, total):
        try:
            kinds = structs.kinds(first, end - first)
        except ReadError:
            kinds = ["unknown"] * (end - first)
        looked += len(kinds)
        for start, after, kind in _runs(kinds):
            pages[kind] += after - start
            if counted:
                held[kind] += counted.saved_in((first + start) * page, (first + after) * page) // page
    part = looked / total if total else 1.0
    scale = {kind: (round(pages[kind] / part), round(held[kind] / part)) for kind in KINDS if pages[kind]}
    return Shares([Share(kind, n, have if counted else None) for kind, (n, have) in scale.items()], part)


def _runs(kinds: list[str]) -> Iterator[tuple[int, int, str]]:
    if kinds and kinds.count(kinds[0]) == len(kinds):  # mostly
        yield 0, len(kinds), kinds[0]
        return
    start = 0
    for kind, same in groupby(kinds):
        after = start + sum(1 for _ in same)
        yield start, after, kind
        start = after


def page_kinds(kernel: Kernel) -> Shares:
    """Return how many pages of RAM are of which kind; Absent or NoTypes where the kernel does not tell."""
    with kernel.memory.physical.searching():
        return kernel.cached(_count)
