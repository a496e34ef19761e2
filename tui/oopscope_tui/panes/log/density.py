"""How many records a log has in each slice of its time, and in which are errors: a line of as many cells as fit.

Slices double when the log outgrows them, so that each record is looked at once and the count of slices is bounded.
"""

from collections.abc import Sequence
from math import log
from typing import TYPE_CHECKING, NamedTuple

from oopscope.klog.lines import LogLine

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import LogRow

SLICES = 1024
FINEST = 10  # the width of a slice in bits of nanoseconds, at first
HEIGHTS = "▁▂▃▄▅▆▇█"
ERROR = 3


class Cell(NamedTuple):
    """A cell of the line."""

    height: int  # 0: no record, to 8
    error: bool


class Density:
    """Records over time."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._last = 0
        self._bits = FINEST
        self._counts = [0] * SLICES
        self._errors = [False] * SLICES
        self._rows = [-1] * SLICES  # the first row of each slice
        self._cells: tuple[Cell, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is a span of time to show."""
        return self._first is not None and self._last > self._first

    def take(self, rows: Sequence["LogRow"], start: int, stop: int) -> None:
        """Look at the rows [start, stop)."""
        self._cells = ()
        for at in range(start, stop):
            row = rows[at]
            ns = row.ns
            if ns is None or (type(row) is LogLine and not row.first):
                continue
            if self._first is None:
                self._first = self._last = ns
            number = ns - self._first >> self._bits
            if number >= SLICES:
                number = self._widen(ns)
            elif number < 0:  # the clocks of CPUs differ a little
                number = 0
            if ns > self._last:
                self._last = ns
            if not self._counts[number]:
                self._rows[number] = at
            self._counts[number] += 1
            if row.level is not None and row.level <= ERROR:
                self._errors[number] = True

    def _widen(self, ns: int) -> int:
        assert self._first is not None
        while ns - self._first >> self._bits >= SLICES:
            self._bits += 1
            counts, errors, rows = self._counts, self._errors, self._rows
            empty = SLICES // 2
            self._counts = [a + b for a, b in zip(counts[::2], counts[1::2], strict=True)] + [0] * empty
            self._errors = [a or b for a, b in zip(errors[::2], errors[1::2], strict=True)] + [False] * empty
            self._rows = [a if a >= 0 else b for a, b in zip(rows[::2], rows[1::2], strict=True)] + [-1] * empty
        return ns - self._first >> self._bits

    @property
    def _used(self) -> int:
        return (self._last - (self._first or 0) >> self._bits) + 1

    def _slices(self, cell: int, width: int) -> range:
        start, end = cell * self._used // width, (cell + 1) * self._used // width
        return range(start, max(start + 1, end))

    def cells(self, width: int) -> Sequence[Cell]:
        """Return the line; heights grow as the logarithm, so that a lone record shows beside a flood."""
        if width <= 0 or self._first is None:
            return ()
        if len(self._cells) != width:
            counts = [sum(self._counts[at] for at in self._slices(cell, width)) for cell in range(width)]
            scale = (len(HEIGHTS) - 1) / (log(max(counts)) or 1)
            self._cells = tuple(
                Cell(
                    1 + round(scale * log(count)) if count else 0,
                    any(self._errors[at] for at in self._slices(cell, width)),
                )
                for cell, count in enumerate(counts)
            )
        return self._cells

    def cell_of(self, ns: int | None, width: int) -> int | None:
        """Return the cell of a time; None for none."""
        if ns is None or self._first is None or width <= 0:
            return None
        number = max(0, min(ns - self._first >> self._bits, self._used - 1))
        cell = number * width // self._used
        return cell + 1 if cell + 1 < width and self._slices(cell, width).stop <= number else cell

    def row_near(self, cell: int, width: int) -> int | None:
        """Return the first row of a cell, or of the nearest one after it that has any, else before it."""
        if width <= 0 or not 0 <= cell < width:
            return None
        begin = self._slices(cell, width).start
        order = (*range(begin, self._used), *range(begin - 1, -1, -1))
        return next((self._rows[at] for at in order if self._rows[at] >= 0), None)
