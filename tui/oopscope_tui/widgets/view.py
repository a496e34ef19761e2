"""Which rows show, and in which order: a filter and a sort over a list that grows and belongs to someone else.

Without filter and sort there is no index at all: position and row number are the same, however long the list. Filters
run in slices of a few milliseconds, so that a million rows never hold up a key press.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from oopscope_tui.look.values import order

STEP = 256  # rows tested between two looks at the clock


class View:
    """The visible rows, as positions 0..len(view); `row_id` is a row's number in the list.

    While a filter runs, the rows found so far show; where they are to be sorted, what was there before it.
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        self.test: Callable[[Any], bool] | None = None
        self.sort_value: Callable[[Any], Any] | None = None
        self.descending = False
        self._ids: array[int] | None = None  # row numbers in the order that shows; None: all, as in the list
        self._found: array[int] = array("I")  # those that passed the filter, as in the list
        self._tested = 0  # rows that the filter has seen
        self._keys = Keys()

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
        if self._ids is self._found:
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
        if self._ids is None or self._ids is not self._found:
            return 0
        return max(0, min(bisect_left(self._ids, row_id), len(self._ids) - 1))

    def replace(self, rows: Sequence[Any]) -> None:
        """Look at another list; filter and sort stay."""
        self.rows = rows
        self._ids = None
        self.filter(self.test)

    def filter(self, test: Callable[[Any], bool] | None) -> None:
        """Show only rows that pass; call `work` until it returns False."""
        self.test = test
        self._found = array("I")
        if self.sort_value is None:
            self._ids = self._found if test is not None else None
        self._tested = 0
        self._keys = Keys()

    def sort(self, value: Callable[[Any], Any] | None, descending: bool = False) -> None:
        """Order by a value, None for the order of the list; call `work` until it returns False."""
        if value is not self.sort_value:
            self._keys = Keys()
        self._keys.stale = True
        self.sort_value, self.descending = value, descending
        if value is None:
            self._ids = self._found if self.test is not None else None

    @property
    def behind(self) -> bool:
        """Whether rows wait to be filtered or sorted."""
        if self.test is None and self.sort_value is None:
            return False
        return self._tested < len(self.rows) or (self.sort_value is not None and self._keys.behind(self._found))

    def work(self, budget: float = 0.008) -> bool:
        """Filter and sort for about `budget` seconds; return whether more is left."""
        until = perf_counter() + budget
        if self.behind:
            self._filter(until)
        value = self.sort_value
        if value is not None and self.behind and self._tested == len(self.rows):
            rows = self.rows
            if self._keys.gather(self._found, lambda at: value(rows[at]), until):
                self._ids = self._keys.ordered(self._found, self.descending)
        return self.behind

    def _filter(self, until: float) -> None:
        """Test rows until the time is up."""
        rows, found, test, total = self.rows, self._found, self.test, len(self.rows)
        if test is None:
            found.extend(range(self._tested, total))
            self._tested = total
            return
        at = self._tested
        while at < total:
            stop = min(at + STEP, total)
            found.extend([number for number in range(at, stop) if test(rows[number])])
            at = stop
            if perf_counter() > until:
                break
        self._tested = at


class Keys:
    """What rows are ordered by, taken in slices; rows that come later are put in order with what is ordered already."""

    def __init__(self) -> None:
        self.stale = True  # the order is to be made anew
        self._keys: list[Any] = []  # by place in the list of row numbers; None for a row without a value
        self._kinds: set[bool] = set()  # whether keys are text
        self._order: list[int] = []  # places in order
        self._empty: list[int] = []  # places without a key: last, whichever way the order runs
        self._ordered = 0  # places in `_order` and `_empty`

    def behind(self, found: Sequence[int]) -> bool:
        """Return whether there are rows that are not in order yet."""
        return self.stale or self._ordered < len(found)

    def gather(self, found: Sequence[int], value: Callable[[int], Any], until: float) -> bool:
        """Take keys until the time is up; return whether all are there."""
        keys, kinds = self._keys, self._kinds
        while len(keys) < len(found):
            start = len(keys)
            for at in found[start : start + STEP]:
                got = value(at)
                key = got if got is None or type(got) is int else order(got)
                keys.append(key)
                if key is not None:
                    kinds.add(isinstance(key, str))
            if perf_counter() > until:
                break
        return len(keys) == len(found)

    def ordered(self, found: Sequence[int], descending: bool) -> "array[int]":
        """Return the row numbers in order; those of equal keys stay in the order of the list."""
        keys = self._keys
        places = range(self._ordered, len(keys))
        self._order += [at for at in places if keys[at] is not None]
        self._empty += [at for at in places if keys[at] is None]
        if len(self._kinds) < 2:
            self._order.sort(key=keys.__getitem__, reverse=descending)
        else:
            self._order.sort(key=lambda at: (isinstance(keys[at], str), keys[at]), reverse=descending)
        self._ordered, self.stale = len(keys), False
        return array("I", [found[at] for at in (*self._order, *self._empty)])
