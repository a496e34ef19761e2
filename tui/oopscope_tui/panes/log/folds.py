"""A text view over records whose blocks fold: keys that fold them, and a search that looks into what is folded.

It knows the view of folded rows and nothing of what a record says.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from oopscope_tui.panes.log.rows import LogRows
from oopscope_tui.panes.log.wrap import Wrapping

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import LogRow


class Folding(Wrapping):
    """A text view whose rows fold."""

    def __init__(self, title: str = "", **more: Any) -> None:
        super().__init__(title, **more)
        self.rows = self.view = LogRows([])
        self.killer: int | None = None  # the block that shows unfolded: the trace of what killed the machine
        self.say: Callable[[str], None] = lambda text: None
        self._peeked: int | None = None  # a block that the search unfolded in passing
        self._paged: int | None = None  # the row to which a page went

    def reveal(self, row_id: int) -> None:
        """Unfold the block that hides a row."""
        block = self.rows.blocks.holding(row_id)
        hidden = block is not None and row_id != self.rows.blocks.heads[block] and self.rows.folded(block)
        if block is not None and hidden:
            self.fold(block, False)

    def fold(self, block: int, fold: bool) -> None:
        """Fold or unfold a block; the cursor's line stays where it is."""
        before = self._lines()
        self.rows.fold(block, fold)
        self.rearranged(before)

    def _lines(self) -> dict[int, int]:
        """Return on which lines of the screen the cursor's row and the head of its block are."""
        lines = {}
        block = self._block_here()
        head = self.view.position(self.rows.blocks.heads[block]) if block is not None else None
        if head is not None:
            lines[self.view.row_id(head)] = max(0, head - self.top)
        if self.current is not None:
            lines[self.current] = self.cursor - self.top
        return lines

    def rearranged(self, before: Mapping[int, int]) -> None:
        """Find the cursor's row again, or the head that it is folded under, on the line where it was."""
        if self.current is not None and len(self.view):
            self.cursor = self.view.nearest(self.current)
            row_id = self.view.row_id(self.cursor)
            if self.touched:
                if row_id != self.current:
                    self._place(self.cursor)
                self.top = self._clamp_top(self.cursor - before.get(row_id, 0))
                self._left()
                self._show_cursor()
        self.refresh()

    def _block_here(self) -> int | None:
        return self.rows.blocks.holding(self.view.row_id(self.cursor)) if len(self.view) else None

    def action_fold_or_page(self) -> None:
        """On the first line of a block fold or unfold it, unless paging led there; else go down a page."""
        block = self._block_here()
        head = block is not None and self.rows.blocks.heads[block] == self.view.row_id(self.cursor)
        if block is not None and head and self.rows.folding and self._paged != self.current:
            self._toggle(block)
            return
        self.action_page(1)
        self._paged = self.current

    def _toggle(self, block: int) -> None:
        self._peeked = None
        self.fold(block, not self.rows.folded(block))

    def action_fold(self) -> None:
        """Fold the block that the cursor is in."""
        block = self._block_here()
        if block is not None and not self.rows.folded(block):
            self._toggle(block)

    def action_unfold(self) -> None:
        """Unfold the block."""
        block = self._block_here()
        if block is not None and self.rows.folded(block):
            self._toggle(block)

    def action_fold_all(self) -> None:
        """Fold all blocks, or unfold all where all are folded."""
        self._peeked = None
        open_ones = len(self.rows.unfolded) > 0 or self.rows.all_open
        before = self._lines()
        self.rows.fold_all(open_ones)
        self.rearranged(before)
        if self.rows.blocks.starts:
            self.say("all blocks folded: z unfolds them" if open_ones else "all blocks unfolded: z folds them")

    def mark_killer(self, row_id: int | None) -> None:
        """Unfold the trace of what killed the machine, known to begin at a row or after it."""
        if row_id is None:
            return
        block = self.rows.blocks.after(row_id, self.view.rows[row_id].caller)
        if block == self.killer or block is None:
            return
        if self.killer is not None and not self.rows.all_open:
            self.fold(self.killer, True)
        self.killer = block
        if not self.rows.all_open:
            self.fold(block, False)

    # A search looks into what is folded.

    def spots(self) -> int:
        """Return how many rows pass the filter, folded ones too."""
        return self.rows.spots()

    def spot_row(self, spot: int) -> "LogRow":
        """Return a row that a search looks at."""
        return self.rows.spot_row(spot)

    def spot_of(self, position: int) -> int:
        """Return the spot of a position."""
        return self.rows.spot(position)

    def to_spot(self, spot: int) -> None:
        """Put the cursor on a match; a block that is unfolded for it folds when the search goes on."""
        row_id = self.rows.row_of_spot(spot)
        block = self.rows.blocks.holding(row_id)
        if self._peeked is not None and block != self._peeked:
            self._unpeek()
        if block is not None and self.rows.folded(block) and row_id != self.rows.blocks.heads[block]:
            self.fold(block, False)
            self._peeked = block
        position = self.view.position(row_id)
        if position is not None:
            self._to(position, centre=not self.top <= position < self.top + self.rows_in_view)

    def _unpeek(self) -> None:
        block, self._peeked = self._peeked, None
        if block is not None and not self.rows.folded(block):
            self.fold(block, True)

    def search(self, text: str, origin: int | None = None) -> None:
        """Search from a position on; while the pattern is typed, what it unfolded folds again."""
        if origin is not None:
            self._unpeek()
        super().search(text, origin)
        if not text:
            self._peeked = None
