"""What kind each page of RAM is, by its struct page: free, page cache, anonymous, slab, page tables, the kernel's own.

Follows include/linux/{mm_types,page-flags}.h and mm/page_alloc.c. On x86_64 all struct pages lie in one array, vmemmap,
of which parts may be left out. Machines of any size cost the same: beyond MAX_UNITS pieces of the array a sample is
taken, one piece at a place of chance in each equal share of RAM, and what comes of it is an estimate.
"""

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple

from oopscope.arch import Mapping
from oopscope.errors import Absent, OopscopeError, ReadError
from oopscope.kernel.kernel import Kernel
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
# enum pagetype, and what VMCOREINFO calls the same where there is none.
_TYPES = (
    ("buddy", "free"),
    ("offline", "offline"),
    ("table", "page table"),
    ("hugetlb", "huge"),
    ("slab", "slab"),
    ("unaccepted", "free"),
    ("zsmalloc", "other kernel"),
    ("large_kmalloc", "other kernel"),
)
_MASK = (1 << 64) - (1 << 32)  # what is above is no place in the array but a mask, since 7.1


class Share(NamedTuple):
    """A kind of page: how many there are, and how many of them the dump holds (None: the container cannot say)."""

    kind: str
    pages: int
    held: int | None


class Shares(NamedTuple):
    """All kinds that occur, and which part of the pages was looked at: below 1 the numbers are an estimate."""

    shares: list[Share]
    part: float


class _Page(NamedTuple):
    """The members of struct page that tell its kind."""

    flags: int
    compound: int
    mapping: int
    private: int
    type: int


class PageStructs:
    """The array of struct pages, and what its members mean in this kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel, types = kernel, kernel.types
        self._bits = {name: bit for name, bit in types.enum("pageflags").items() if 0 <= bit < 64}
        self.size = types.sizeof("page")
        if not MIN_SIZE <= self.size <= MAX_SIZE or "PG_reserved" not in self._bits:
            raise Absent("this kernel's struct page is not known")
        self._memory = _apart(kernel)
        self._layout = self._find_layout()
        self._type = _types_of(kernel)
        self._dtor = self._find_dtor()
        self._heads: dict[int, str] = {}
        self._reserved = 1 << self._bits["PG_reserved"]
        self._slab = (
            1 << self._bits["PG_slab"] if "PG_slab" in self._bits else 0
        )  # a page type since 46df8e73a4a3, 6.10
        self.base = self._find_base()
        self._image = self._find_image()
        self.array = Extents()

    def _find_base(self) -> int:
        base, address = self._kernel.info.symbol("vmemmap"), self._kernel.find_symbol("vmemmap_base")
        if base is not None:  # newer kernels say it
            return base
        if address is None:
            raise Absent("this kernel has no single array of struct pages")
        return self._kernel.memory.word(address)

    def _find_layout(self) -> struct.Struct:
        names = (("flags.f", "flags"), ("compound_info", "compound_head"), ("mapping",), ("private",))
        types, at, text = self._kernel.types, 0, str(self._kernel.endian)
        for paths in (*names, ("page_type", "_mapcount")):
            path = next((p for p in paths if types.has_member("page", p)), paths[-1])
            offset = types.member("page", path).offset
            if offset < at:
                raise Absent("the members of this kernel's struct page stand in an unknown order")
            text += f"{offset - at}x" + ("I" if "page_type" in paths else "Q")
            at = offset + (4 if "page_type" in paths else 8)
        if at > self.size:
            raise Absent("the members of this kernel's struct page lie beyond its end")
        return struct.Struct(f"{text}{self.size - at}x")

    def _find_dtor(self) -> Callable[[int], bool]:
        """Return how a huge page is told by the second of its structs, where it has no page type of its own."""
        types, read, value = self._kernel.types, self._memory.u8, self._kernel.info.number("HUGETLB_PAGE_DTOR")
        if "PG_hugetlb" in self._bits:  # 6.6 .. 6.8, d99e3140a4d3
            at, bit = self.size + self._bits["PG_hugetlb"] // 8, 1 << self._bits["PG_hugetlb"] % 8
            return lambda page: read(page + at) & bit != 0
        if value is not None and types.has_member("page", "compound_dtor"):
            at = self.size + types.member("page", "compound_dtor").offset
            return lambda page: read(page + at) == value
        return lambda _page: False

    def _find_image(self) -> range:
        start, end = self._kernel.find_symbol("_text"), self._kernel.find_symbol("_end")
        if not start or not end or end < start:
            return range(0)
        first = self._kernel.memory.translate(start) // self._kernel.memory.page_size
        return range(first, first + (end - start) // self._kernel.memory.page_size)

    def pages(self, first: int, count: int) -> list[_Page]:
        """Read the structs of some page frames; ReadError where one of them is not to be had."""
        raw = self._memory.read(self.base + first * self.size, count * self.size)
        return [_Page(*fields) for fields in self._layout.iter_unpack(raw)]

    def kinds(self, first: int, count: int) -> list[str]:
        """Return the kind of each of some page frames, of one unit; ReadError where the structs are not to be had."""
        found, free = [], self._free_before(first)
        for pfn, page in enumerate(self.pages(first, count), first):
            if pfn < free:
                kind = "free"
            elif page.compound & 1:
                kind = self._of_head(pfn, page.compound)
            else:
                kind = self._kind(pfn, page)
                if kind == "free":
                    free = pfn + (1 << min(page.private, MAX_ORDER))
            found.append(kind)
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
            if self._type(page.type) == "free" and order <= page.private <= MAX_ORDER:
                return head + (1 << page.private)
        return 0

    def _of_head(self, pfn: int, compound: int) -> str:
        """Return the kind of a compound page by its first: a pointer to it, or (7.1) a mask of the struct's address."""
        place = self.base + pfn * self.size & compound if compound >= _MASK else compound - 1
        head, rest = divmod(place - self.base, self.size)
        if rest or not 0 <= head < pfn:
            return "unknown"
        if head not in self._heads:
            if len(self._heads) >= MAX_HEADS:
                self._heads.clear()
            try:
                page = self.pages(head, 1)[0]
                self._heads[head] = "unknown" if page.compound & 1 else self._kind(head, page)
            except ReadError:
                self._heads[head] = "unknown"
        return self._heads[head]

    def _kind(self, pfn: int, page: _Page) -> str:
        kind = self._type(page.type)
        if kind is not None:
            return kind
        if page.flags & self._slab:
            return "slab"
        if self.array.find(pfn) >= 0 and pfn < self.array.ends[self.array.find(pfn)]:
            return "struct page"
        if page.flags & self._reserved:
            return "kernel image" if pfn in self._image else "reserved"
        if page.flags >> self._bits.get("PG_head", 0) & 1 and self._huge(pfn):
            return "huge"
        if page.mapping & 1:
            return "anonymous"  # also what KSM shares (3)
        return "cache" if page.mapping and not page.mapping & 3 else "other kernel"

    def _huge(self, pfn: int) -> bool:
        try:
            return self._dtor(self.base + pfn * self.size)
        except ReadError:
            return False

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
                    places = self._mapped(self.base + section * sections * self.size, sections * self.size)
                    found += [(at // page, (at + size) // page, 0) for at, size in places]
        self.array = Extents(found)

    def _mapped(self, start: int, size: int) -> Iterator[tuple[int, int]]:
        """Yield (physical address, bytes) of what a stretch of the array is mapped to."""
        page, large = self._kernel.memory.page_size, 2 << 20
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


def _types_of(kernel: Kernel) -> Callable[[int], str | None]:
    """Return what tells a kind by page_type: a number in its top byte (6.12), a bit that is clear before (4.18)."""
    try:
        enum = kernel.types.enum("pagetype")
    except OopscopeError:
        enum = {}
    numbers = {enum[f"PGTY_{name}"]: kind for name, kind in _TYPES if f"PGTY_{name}" in enum}
    if numbers:
        return lambda value: numbers.get(value >> 24)
    base, bits = enum.get("PAGE_TYPE_BASE", 0xF0000000) & 0xFFFFFFFF, {}
    for name, kind in _TYPES:
        value = kernel.info.number(f"PAGE_{name.upper()}_MAPCOUNT_VALUE")
        bit = enum.get(f"PG_{name}", ~value & 0xFFFFFFFF if value is not None else 0)
        if name == "table" and not bit:  # no number in VMCOREINFO; it moved with 18b2db3b0385, 5.11
            bit = 0x200 if kernel.types.has_member("page", "memcg_data") else 0x400
        bits[bit] = kind
    bits.pop(0, None)

    def kind_of(value: int) -> str | None:
        if value & base != base or value == 0xFFFFFFFF:
            return None
        return next((kind for bit, kind in bits.items() if not value & bit), None)

    return kind_of


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
    start = 0
    for n in range(1, len(kinds) + 1):
        if n == len(kinds) or kinds[n] != kinds[start]:
            yield start, n, kinds[start]
            start = n


def page_kinds(kernel: Kernel) -> Shares:
    """Return how many pages of RAM are of which kind; Absent or NoTypes where the kernel does not tell."""
    return kernel.cached(_count)
