"""The log's rows with blocks folded: a view that shows a block as its first row alone, whichever filter is on.

Positions are those on the screen; spots those of the rows that pass the filter, folded or not; row numbers those of
the list. What is folded is kept as runs, so that a fold costs the number of blocks and not that of records.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from oopscope.klog.blocks import LEAST, Blocks
from oopscope.klog.summary import summary
from oopscope_tui.widgets.view import View

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import LogRow


class Head:
    """The first row of a block, with all that a row has."""

    __slots__ = ("block", "caller", "facility", "folded", "index", "level", "members", "ns", "said", "text")

    def __init__(self, row: "LogRow", block: int, said: str = "", members: "Sequence[LogRow] | None" = None) -> None:
        self.index, self.ns, self.level, self.facility = row.index, row.ns, row.level, row.facility
        self.caller, self.text = row.caller, row.text
        self.block, self.folded = block, members is not None
        self.said = said  # the block in one line
        self.members = members  # all its rows, where it is folded


class LogRows(View):
    """A view over records, the blocks of which may be folded."""

    def __init__(self, rows: Sequence["LogRow"]) -> None:
        super().__init__(rows)
        self.blocks = Blocks()  # somebody else shows it the rows, and calls `arrange`
        self.folding = True  # False: blocks show whole
        self.unfolded: set[int] = set()  # or those that are folded, where `all_open`
        self.all_open = False
        self.matter: tuple[str, ...] = ()  # registers that the instruction used which faulted
        self._said: dict[tuple[int, int], str] = {}
        self._forget()

    def matters(self, registers: tuple[str, ...]) -> None:
        """Name the registers that a folded block of them shows."""
        if registers != self.matter:
            self.matter = registers
            self._said.clear()

    def _forget(self) -> None:
        # For each run of rows under a head, in spots: where it begins, how many of it are hidden, how many are
        # before it, and the position at which it is skipped.
        self._from, self._size, self._before, self._skips = array("I"), array("I"), array("I", [0]), array("I")
        self._small: set[int] = set()  # blocks that have runs and were too small for a fold

    # Spots: rows that pass the filter.

    def spots(self) -> int:
        """Return how many rows pass the filter, folded ones too."""
        return super().__len__()

    def spot_row(self, spot: int) -> "LogRow":
        """Return the row at a spot."""
        row: LogRow = super().row(spot)
        return row

    def spot(self, position: int) -> int:
        """Return the spot of what shows at a position."""
        return position + self._before[bisect_right(self._skips, position)]

    def spot_of_row(self, row_id: int) -> int | None:
        """Return the spot of a row, None where the filter hides it."""
        return super().position(row_id)

    def row_of_spot(self, spot: int) -> int:
        """Return the row number at a spot."""
        return super().row_id(spot)

    # Positions.

    def __len__(self) -> int:
        return super().__len__() - self._before[-1]

    def row_id(self, position: int) -> int:
        """Return the row number at a position."""
        return super().row_id(self.spot(position))

    def row(self, position: int) -> "LogRow":
        """Return the row at a position; of a block the head, which knows its block."""
        spot = position + self._before[bisect_right(self._skips, position)]
        number = spot if self._ids is None else self._ids[spot]
        row: LogRow = self.rows[number]
        block = self.blocks.headed(number)
        if block is None:
            return row
        if not self.folded(block):
            return Head(row, block)
        return Head(row, block, self.said(block), [self.rows[at] for at in self.blocks.rows_of(block)])

    def position(self, row_id: int) -> int | None:
        """Return where a row stands, None where the filter or a fold hides it."""
        spot = super().position(row_id)
        if spot is None:
            return None
        run = bisect_right(self._from, spot) - 1
        if run < 0:
            return spot
        if spot < self._from[run] + self._size[run]:
            return None
        return spot - self._before[run + 1]

    def nearest(self, row_id: int) -> int:
        """Return the position of a row, of the head that it is folded under, or of the row nearest to it."""
        found = self.position(row_id)
        if found is not None:
            return found
        block = self.blocks.holding(row_id)
        if block is not None and (head := self.position(self.blocks.heads[block])) is not None:
            return head
        spot = row_id if self._ids is None else bisect_left(self._ids, row_id)
        run = bisect_right(self._from, spot) - 1
        if run >= 0:
            inside = spot < self._from[run] + self._size[run]
            spot = self._skips[run] if inside else spot - self._before[run + 1]
        return max(0, min(spot, len(self) - 1))

    # Folds.

    def folded(self, block: int) -> bool:
        """Return whether a block shows as its head alone."""
        return self.folding and (block in self.unfolded) == self.all_open and self._head_passes(block)

    def _head_passes(self, block: int) -> bool:
        return super().position(self.blocks.heads[block]) is not None

    def fold(self, block: int, fold: bool) -> None:
        """Fold or unfold a block."""
        (self.unfolded.discard if fold != self.all_open else self.unfolded.add)(block)
        self.arrange(anew=True)

    def fold_all(self, fold: bool) -> None:
        """Fold or unfold all."""
        self.all_open = not fold
        self.unfolded.clear()
        self.arrange(anew=True)

    def said(self, block: int) -> str:
        """Return a block in one line."""
        key = block, self.blocks.sizes[block]
        words = self._said.get(key)
        if words is None:
            lines = [self.rows[at].text or "" for at in self.blocks.rows_of(block)]
            words = self._said[key] = summary(self.blocks.all[block].kind, lines, self.matter)
        return words

    def arrange(self, anew: bool = False) -> None:
        """Hide what is folded, of the blocks and of the rows that came since, or of all `anew`."""
        if anew or not self.folding:
            self._forget()
        if not self.folding:
            return
        begin, end = self._news()
        del self._from[begin:], self._size[begin:], self._before[begin + 1 :], self._skips[begin:]
        blocks, ids = self.blocks, self._ids
        starts, ends, owners = blocks.starts[begin:end], blocks.ends[begin:end], blocks.owners[begin:end]
        if ids is not None:
            starts = array("I", [bisect_left(ids, row) for row in starts])
            ends = array("I", [bisect_left(ids, row) for row in ends])
        outer = blocks.hidden[begin:end]
        shut = {block: blocks.sizes[block] >= LEAST and self.folded(block) for block in {*owners, *outer}}
        self._small.update(block for block in shut if blocks.sizes[block] < LEAST)
        sizes = [
            to - at if shut[own] or shut[out] else 0
            for at, to, own, out in zip(starts, ends, owners, outer, strict=True)
        ]
        before = list(accumulate(sizes, initial=self._before[-1]))
        self._from.extend(starts)
        self._size.extend(sizes)
        self._before.extend(before[1:])
        self._skips.extend([at - hidden for at, hidden in zip(starts, before, strict=False)])

    def _news(self) -> tuple[int, int]:
        """Return the first and the end of the runs to look at: new ones, those that grew, those worth a fold now."""
        blocks = self.blocks
        begin = max(0, len(self._from) - 1)
        grown = [block for block in self._small if blocks.sizes[block] >= LEAST]
        self._small.difference_update(grown)
        begin = min([begin, *(blocks.first_run[block] for block in grown)])
        return begin, len(blocks.starts) if self._ids is None else bisect_left(blocks.starts, self._tested)

    def filter(self, test: Callable[["LogRow"], bool] | None) -> None:
        """Show only rows that pass, with their blocks folded."""
        super().filter(test)
        self.arrange(anew=True)

    def work(self, budget: float = 0.008) -> bool:
        """Filter on; return whether more is left."""
        more = super().work(budget)
        if self._ids is not None:
            self.arrange()
        return more
