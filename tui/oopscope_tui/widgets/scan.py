"""A search over a view's rows in slices: hits are found from where the cursor stands, then from the beginning.

It counts rows that match, as less and grep do, not the matches inside a row.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable
from time import perf_counter

STEP = 128


class Scan:
    """The hits of one pattern; positions are those of the view at its start."""

    def __init__(self, pattern: re.Pattern[str], total: int, origin: int, text: Callable[[int], str]) -> None:
        self.pattern = pattern
        self.total = total
        self._text = text
        origin = min(max(origin, 0), total)
        self._origin = origin
        self._todo: deque[tuple[int, int]] = deque([(origin, total), (0, origin)])
        self._early: array[int] = array("I")  # hits before the origin
        self._late: array[int] = array("I")  # hits from the origin on

    @property
    def done(self) -> bool:
        """Whether every row has been looked at."""
        return not self._todo

    @property
    def count(self) -> int:
        """How many rows match, so far."""
        return len(self._early) + len(self._late)

    def grow(self, total: int) -> None:
        """Take in rows that were appended; they are looked at last."""
        if total > self.total:
            self._todo.append((self.total, total))
            self.total = total

    def work(self, budget: float = 0.008) -> bool:
        """Look for about `budget` seconds; return whether more is left."""
        until = perf_counter() + budget
        search, text = self.pattern.search, self._text
        while self._todo:
            start, end = self._todo.popleft()
            stop = min(start + STEP, end)
            hits = self._early if stop <= self._origin else self._late
            hits.extend([at for at in range(start, stop) if search(text(at))])
            if stop < end:
                self._todo.appendleft((stop, end))
            if perf_counter() > until:
                break
        return bool(self._todo)

    def next(self, position: int, step: int) -> int | None:
        """Return the hit after (step 1) or before (step -1) a position, going round the ends; None without hits."""
        if not self.count:
            return None
        early, late = self._early, self._late
        if step > 0:
            for hits in (early, late):
                at = bisect_right(hits, position)
                if at < len(hits):
                    return hits[at]
            return (early or late)[0]
        for hits in (late, early):
            at = bisect_left(hits, position)
            if at:
                return hits[at - 1]
        return (late or early)[-1]

    def first_from(self, position: int) -> int | None:
        """Return the first hit at or after a position, going round the end once that is known; None for not yet."""
        for hits in (self._early, self._late):
            at = bisect_left(hits, position)
            if at < len(hits):
                return hits[at]
        return (self._early or self._late)[0] if self.done and self.count else None

    def any_in(self, start: int, stop: int) -> bool:
        """Return whether a position of a range is a hit, as far as is known."""
        return any(bisect_left(hits, start) < bisect_left(hits, stop) for hits in (self._early, self._late))

    def number(self, position: int) -> int | None:
        """Return which hit stands at a position, from 1; None where none does, or not known yet."""
        for hits, before in ((self._early, 0), (self._late, len(self._early))):
            at = bisect_left(hits, position)
            if at < len(hits) and hits[at] == position:
                return at + before + 1 if hits is self._early or self.done else None
        return None

    def words(self, position: int) -> str:
        """Return `3 of 128`, `no match`, or the count so far."""
        more = "" if self.done else "+"
        if not self.count:
            return "no match" if self.done else "searching"
        number = self.number(position)
        return f"{number} of {self.count:,}{more}" if number else f"{self.count:,}{more} hits"
