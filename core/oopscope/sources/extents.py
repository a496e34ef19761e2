"""Stretches of an address space and where the bytes of each are: what most containers come down to.

It knows numbers only. Stretches may be given in any order and may overlap: the later one wins, as it does when
records are written over each other.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import islice
from operator import le

NOWHERE = -1  # the stretch is known, its bytes are not stored
LIMIT = 1 << 63


class Extents:
    """Stretches in ascending order that do not overlap."""

    def __init__(self, stretches: Iterable[tuple[int, int, int]] = ()) -> None:
        """Take (start, end, where) in order of writing; ValueError for numbers beyond 63 bits."""
        self.starts, self.ends, self.wheres = array("q"), array("q"), array("q")
        for start, end, where in stretches:
            if not 0 <= start <= end < LIMIT or not -1 <= where < LIMIT:
                raise ValueError(f"no such stretch: {start:#x} to {end:#x}")
            if start < end:
                self.starts.append(start)
                self.ends.append(end)
                self.wheres.append(where)
        self._settle()

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return zip(self.starts, self.ends, self.wheres, strict=True)

    @property
    def end(self) -> int:
        """The end of the last stretch."""
        return self.ends[-1] if self.ends else 0

    def find(self, at: int) -> int:
        """Return the index of the last stretch that starts at or before an address; -1 when there is none."""
        return bisect_right(self.starts, at) - 1

    def pieces(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (start, end, where) of what lies in [start, end), cut to it, ascending; gaps are left out."""
        starts, ends, wheres = self.starts, self.ends, self.wheres
        n = max(self.find(start), 0)
        while n < len(starts) and starts[n] < end:
            first, last = max(starts[n], start), min(ends[n], end)
            if first < last:
                where = wheres[n]
                yield first, last, where if where < 0 else where + first - starts[n]
            n += 1

    def runs(self) -> list[tuple[int, int]]:
        """Return [start, end) of the stretches, those that touch joined."""
        found: list[tuple[int, int]] = []
        for start, end, _where in self:
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return found

    def total(self) -> int:
        """Return how many bytes are stored somewhere."""
        return sum(end - start for start, end, where in self if where >= 0)

    def _apart(self) -> bool:
        return all(map(le, self.ends, islice(self.starts, 1, None)))

    def _settle(self) -> None:
        """Sort, and resolve overlaps where there are any; most files need neither."""
        if self._apart():
            return
        order = sorted(range(len(self.starts)), key=self.starts.__getitem__)
        self.starts = array("q", [self.starts[n] for n in order])
        self.ends = array("q", [self.ends[n] for n in order])
        self.wheres = array("q", [self.wheres[n] for n in order])
        if not self._apart():
            self._paint(order)

    def _paint(self, order: list[int]) -> None:
        """Sweep upwards over the sorted stretches; of those that cover a place, the last written shows."""
        starts, ends, wheres = self.starts, self.ends, self.wheres
        self.starts, self.ends, self.wheres = array("q"), array("q"), array("q")
        open_: list[tuple[int, int]] = []  # (-order of writing, index), the last written on top
        n, at, count = 0, 0, len(starts)
        while n < count or open_:
            if not open_:
                at = starts[n]
            while n < count and starts[n] <= at:
                heappush(open_, (-order[n], n))
                n += 1
            while open_ and ends[open_[0][1]] <= at:
                heappop(open_)
            if open_:
                top = open_[0][1]
                end = min(ends[top], starts[n]) if n < count else ends[top]
                self._add(at, end, wheres[top] if wheres[top] < 0 else wheres[top] + at - starts[top])
                at = end

    def _add(self, start: int, end: int, where: int) -> None:
        """Append a stretch, or lengthen the last one when it goes on from there."""
        if self.ends and self.ends[-1] == start:
            before = self.wheres[-1]
            if where == before == NOWHERE or (before >= 0 and where == before + start - self.starts[-1]):
                self.ends[-1] = end
                return
        self.starts.append(start)
        self.ends.append(end)
        self.wheres.append(where)
