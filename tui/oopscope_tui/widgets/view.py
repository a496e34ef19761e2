"""Which rows show, and in which order: a filter and a sort over a list that grows and belongs to someone else.

Without filter and sort there is no index at all: position and row number are the same, however long the list. Filters
run in slices of a few milliseconds, so that a million rows never hold up a key press.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from oopscope_tui.values import order

STEP = 256  # rows tested between two looks at the clock


class View:
    """The visible rows, as positions 0..len(view); `row_id` is a row's number in the list."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        self.test: Callable[[Any], bool] | None = None
        self.sort_value: Callable[[Any], Any] | None = None
        self.descending = False
        self._ids: array[int] | None = None
        self._tested = 0  # rows that the filter has seen
        self._sorted = 0  # rows that the sort has seen

    def __len__(self) -> int:
        return len(self.rows) if self._ids is None else len(self._ids)

    def row_id(self, position: int) -> int:
        """Return the row number at a position."""
        return position if self._ids is None else self._ids[position]

    def row(self, position: int) -> Any:
        """Return the row at a position."""
        return self.rows[position if self._ids is None else self._ids[position]]

    def position(self, row_id: int) -> int | None:
        """Return where a row stands, None where the filter hides it."""
        if self._ids is None:
            return row_id if 0 <= row_id < len(self.rows) else None
        if self.sort_value is None:
            at = bisect_left(self._ids, row_id)
            return at if at < len(self._ids) and self._ids[at] == row_id else None
        try:
            return self._ids.index(row_id)
        except ValueError:
            return None

    def nearest(self, row_id: int) -> int:
        """Return the position of a row, or of the one nearest to where it would be."""
        found = self.position(row_id)
        if found is not None:
            return found
        if self._ids is None or self.sort_value is not None:
            return 0
        return max(0, min(bisect_left(self._ids, row_id), len(self._ids) - 1))

    def replace(self, rows: Sequence[Any]) -> None:
        """Look at another list; filter and sort stay."""
        self.rows = rows
        self._restart()

    def filter(self, test: Callable[[Any], bool] | None) -> None:
        """Show only rows that pass; call `work` until it returns False."""
        self.test = test
        self._restart()

    def sort(self, value: Callable[[Any], Any] | None, descending: bool = False) -> None:
        """Order by a value, None for the order of the list."""
        self.sort_value, self.descending = value, descending
        self._restart()

    def _restart(self) -> None:
        self._tested = self._sorted = 0
        self._ids = None if self.test is None and self.sort_value is None else array("I")

    @property
    def behind(self) -> bool:
        """Whether rows wait to be filtered or sorted."""
        return self._ids is not None and self._tested < len(self.rows)

    def work(self, budget: float = 0.008) -> bool:
        """Filter and sort for about `budget` seconds; return whether more is left."""
        if self._ids is None:
            return False
        if self.test is None:
            self._ids.extend(range(self._tested, len(self.rows)))
            self._tested = len(self.rows)
        else:
            self._filter_slice(self.test, budget)
        if not self.behind and self.sort_value is not None and self._sorted != len(self._ids):
            self._sort(self.sort_value)
        return self.behind

    def _filter_slice(self, test: Callable[[Any], bool], budget: float) -> None:
        assert self._ids is not None
        rows, ids, total = self.rows, self._ids, len(self.rows)
        until = perf_counter() + budget
        at = self._tested
        while at < total:
            stop = min(at + STEP, total)
            ids.extend([number for number in range(at, stop) if test(rows[number])])
            at = stop
            if perf_counter() > until:
                break
        self._tested = at

    def _sort(self, value: Callable[[Any], Any]) -> None:
        """Order the ids; rows without a value come last, whichever way the order runs."""
        assert self._ids is not None
        rows = self.rows
        keys: dict[int, Any] = {}
        empty: list[int] = []
        for number in sorted(self._ids):
            got = value(rows[number])
            if got is None:
                empty.append(number)
            else:
                keys[number] = got
        self._ids = array("I", [*_ordered(keys, self.descending), *empty])
        self._sorted = len(self._ids)


def _ordered(keys: dict[int, Any], descending: bool) -> list[int]:
    if all(type(key) is int or type(key) is float for key in keys.values()):
        return sorted(keys, key=keys.__getitem__, reverse=descending)
    if all(type(key) is str for key in keys.values()):
        lowered = {number: key.lower() for number, key in keys.items()}
        return sorted(lowered, key=lowered.__getitem__, reverse=descending)
    orders = {number: order(key) for number, key in keys.items()}
    ranked = {number: (isinstance(key, str), key) for number, key in orders.items()}  # numbers before text
    return sorted(ranked, key=ranked.__getitem__, reverse=descending)
