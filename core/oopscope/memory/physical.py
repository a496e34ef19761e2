"""Physical memory: reads of any size over a dump's pages, behind a bounded cache.

It knows pages and physical addresses; it does not know who maps them where.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from oopscope.dumps import Dump
from oopscope.errors import MissingPage, Why

MAX_PAGES = 8 << 20  # bytes of unpacked pages kept
MAX_MISSING = 1 << 16


class PhysicalMemory:
    """Reads physical addresses; remembers pages, and which pages are missing and why."""

    def __init__(self, dump: Dump) -> None:
        self._dump = dump
        self.page_size = dump.page_size
        # What turns an address that stands in a page table into one of this dump; None where it is one already.
        self.place: Callable[[int], int] | None = getattr(dump, "place", None)
        self._shift = dump.page_size.bit_length() - 1
        self._limit = max(64, MAX_PAGES // dump.page_size)
        self._pages: dict[int, bytes] = {}
        self.missing: dict[int, Why] = {}  # page frames asked for in vain, up to MAX_MISSING of them
        self._searching = False

    def page(self, pfn: int) -> bytes:
        """Return one page of the dump's own page size; MissingPage with the reason."""
        page = self._pages.get(pfn)
        if page is not None:
            return page
        lost = self.missing.get(pfn)
        if lost is not None:
            raise MissingPage(pfn << self._shift, lost)
        try:
            page = self._dump.page(pfn)
        except MissingPage as e:
            if not self._searching and len(self.missing) < MAX_MISSING:
                self.missing[pfn] = e.reason
            raise
        if len(self._pages) >= self._limit:
            self._evict()
        self._pages[pfn] = page
        return page

    @contextmanager
    def searching(self) -> Iterator[None]:
        """Within it, no page is asked for in vain: who looks everywhere misses pages that nobody needs."""
        before, self._searching = self._searching, True
        try:
            yield
        finally:
            self._searching = before

    def _evict(self) -> None:
        """Forget the older half; a dict keeps the order of insertion."""
        for pfn in list(self._pages)[: self._limit // 2]:
            del self._pages[pfn]

    def read(self, address: int, size: int) -> bytes:
        """Read size bytes at a physical address; MissingPage if any page of it is missing."""
        pfn, offset = address >> self._shift, address & self.page_size - 1
        if offset + size <= self.page_size:
            return self.page(pfn)[offset : offset + size]
        parts = [self.page(pfn)[offset:]]
        size -= len(parts[0])
        while size > 0:
            pfn += 1
            parts.append(self.page(pfn)[:size])
            size -= self.page_size
        return b"".join(parts)
