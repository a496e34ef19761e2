"""What a dump holds of the machine's memory, range by range, and which reads of this session failed for want of it.

It counts by the container's own bitmaps or extents, never page by page, so that a machine of terabytes costs no more
than a small one. It knows physical addresses only.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

from oopscope.dumps import Dump
from oopscope.errors import Why
from oopscope.memory.physical import PhysicalMemory

MAX_RANGES = 256  # those beyond are one


@runtime_checkable
class Counted(Protocol):
    """A dump that can count what it holds of a range without reading it."""

    def saved_in(self, start: int, end: int) -> int:
        """Return how many bytes from physical address start to end are in the dump."""
        ...


class Range(NamedTuple):
    """A physical range of RAM: bytes in all, and how many of them are in the dump (None: the container cannot say)."""

    start: int
    end: int
    size: int
    saved: int | None


class Cell(NamedTuple):
    """An equal share of RAM: from which page frame to which (holes within it are no RAM), pages held, pages of RAM."""

    start_pfn: int
    end_pfn: int
    held: int | None  # None: the container cannot say
    ram: int


class Failure(NamedTuple):
    """Pages that something asked for and did not get: why, how many, and the first few addresses."""

    why: Why
    pages: int
    examples: tuple[int, ...]


def ranges(dump: Dump) -> list[Range]:
    """Return the ranges that the container calls RAM, ascending; after MAX_RANGES of them the rest is one."""
    found: list[Range] = []
    counted = dump if isinstance(dump, Counted) else None
    known = dump.ranges()
    for start, end in known[: MAX_RANGES - 1]:
        found.append(Range(start, end, end - start, counted.saved_in(start, end) if counted else None))
    rest = known[MAX_RANGES - 1 :]
    if rest:
        start, end = rest[0][0], rest[-1][1]
        size = sum(b - a for a, b in rest)
        found.append(Range(start, end, size, counted.saved_in(start, end) if counted else None))
    return found


def strip(dump: Dump, cells: int) -> list[Cell]:
    """Divide RAM, its holes left out, into so many equal parts, ascending; fewer where there are fewer pages.

    Page frames are of the dump's own page size. Costs as much as there are cells and stretches, whatever their size.
    """
    size = dump.page_size
    runs = [(start // size, -(-end // size)) for start, end in dump.ranges()]
    total = sum(end - start for start, end in runs)
    count = max(0, min(cells, total))
    counted = dump if isinstance(dump, Counted) else None
    found: list[Cell] = []
    following, at, left = iter(runs), 0, 0  # the page frame reached, and how many of its run are still to come
    for n in range(count):
        ram = wanted = total * (n + 1) // count - total * n // count
        if not left:
            at, left = _next_run(following)
        first = at
        while wanted > left:
            wanted -= left
            at, left = _next_run(following)
        at, left = at + wanted, left - wanted
        held = min(-(-counted.saved_in(first * size, at * size) // size), ram) if counted else None
        found.append(Cell(first, at, held, ram))
    return found


def _next_run(runs: Iterator[tuple[int, int]]) -> tuple[int, int]:
    """Return where the next run starts, and how long it is."""
    start, end = next(runs)
    return start, end - start


def failures(physical: PhysicalMemory) -> list[Failure]:
    """Return what was asked for in vain so far, by reason."""
    examples: dict[Why, list[int]] = {}
    pages: dict[Why, int] = {}
    for pfn, why in physical.missing.items():
        pages[why] = pages.get(why, 0) + 1
        if len(examples.setdefault(why, [])) < 3:
            examples[why].append(pfn * physical.page_size)
    return [Failure(why, n, tuple(examples[why])) for why, n in sorted(pages.items())]
