"""What the table and the text view share: rows that they do not own, of which only those in view are ever drawn.

First line: a rule with the title and the position; then headings, if any; then rows, a cell of scroll bar at the right.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from oopscope.report.query import Field, Test, parse_filter, search_pattern
from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit, wrap
from oopscope_tui.settings import keys
from oopscope_tui.widgets.mark import mark
from oopscope_tui.widgets.scan import Scan
from oopscope_tui.widgets.window import Window

SLICE = 0.001  # seconds between two slices of filtering or searching: keys come in between
REPAINT = 0.1  # seconds between two paintings of a count that runs


class Lines(Window):
    """A window with a search and a filter; subclasses draw a row and say its words."""

    BINDINGS = keys.bindings(keys.LINES)  # type: ignore[assignment]
    KEYS: ClassVar[tuple[keys.Key, ...]] = keys.LINES

    def __init__(self, title: str = "", *, edge: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = title
        self.trouble = ""  # why not all rows are there
        self.note = ""  # stands in for rows while there are none
        self.edge = edge  # a line at the left, between the list and this
        self.opener: Callable[[Lines], Awaitable[None]] | None = None  # opens the selected row
        self.neighbour: Callable[[int], Awaitable[None]] | None = None  # 1: go to the detail, -1: to the list
        self.scan: Scan | None = None
        self.search_text = self.filter_text = ""
        self.also: Test | None = None  # what a row must pass besides the filter
        self._jump: int | None = None  # the first hit from this spot on takes the cursor
        self._wanted: int | None = None  # the row that takes the cursor once filter and sort are done
        self._working = False
        self._painted = 0.0  # when a count that runs was last shown

    # What subclasses say.

    def words(self, row: Any) -> str:
        """Return a row's text, for searching, filtering, copying and writing."""
        raise NotImplementedError

    def paint(self, row: Any, width: int, here: bool) -> list[Segment]:
        """Return a row's segments in exactly `width` cells, without the cursor's colours."""
        raise NotImplementedError

    def headings(self, width: int) -> list[Segment]:
        """Return the headings, where `heads` is 2."""
        return []

    def fields(self) -> Sequence[Field]:
        """Return the columns that a filter may name."""
        return ()

    def written(self, row: Any) -> str:
        """Return a row as it is copied and written to a file."""
        return self.words(row)

    def sections(self) -> Sequence[int]:
        """Return the positions at which the sections begin; nothing where there are none."""
        return ()

    def section(self) -> range:
        """Return the positions of the section that the cursor stands in, the first with what stands above it."""
        starts = [0, *self.sections()[1:], len(self.view)]
        first = max(at for at in starts[:-1] if at <= self.cursor)
        return range(first, min((at for at in starts if at > first), default=first))

    def unsearched(self, row: Any) -> int:
        """Return how many characters at the beginning of the drawn row a search does not look at."""
        return 0

    def caption(self) -> str:
        """Return the left part of the rule."""
        total, shown = len(self.view.rows), len(self.view)
        words = [f"{self.title} {shown:,} of {total:,}" if self.filter_text else self.title]
        if self.filter_text:
            words.append(f"filter {clean(self.filter_text)}")
        if self.trouble:
            words.append(f"! {clean(self.trouble)}")
        return " · ".join(words)

    # Rows come and change.

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show another list; the cursor stays on the same row number where it can."""
        self.view.replace(rows)
        self._rescan()
        self._settle()
        self.work()

    def grew(self) -> None:
        """Take in rows appended to the list."""
        if self.scan is not None and self.view.test is None and self.view.sort_value is None:
            self.scan.grow(self.spots())
        if self.current is None and len(self.view):
            self._settle()
        self.refresh()
        self.work()

    def select(self, row_id: int) -> None:
        """Put the cursor on a row of the list, and the row in view; a filter that hides it goes."""
        self._wanted = self.current = row_id
        self.touched = True
        self._reach()

    def _reach(self) -> None:
        """Go to the row that is wanted, if it is known where it stands."""
        if self._wanted is None or self.view.behind:
            return
        position = self.view.position(self._wanted)
        if position is None and self.filter_text:
            self.set_filter("")  # which comes back here
            return
        self._wanted = None
        if position is not None:
            self._to(position, centre=True)

    def work(self) -> None:
        """Filter, sort and search on, a slice at a time, letting keys in between."""
        if self._working:
            return
        self._working = True
        self._slice()

    def _slice(self) -> None:
        if self.view.behind:
            self.view.work()
            if not self.view.behind:
                self._settle()
                self._rescan()
            elif self._due():
                self._settle()
        self._reach()
        if self.scan is not None and not self.view.behind:
            more = self.scan.work()
            self._jump_to_hit()
            if not more or self._due():
                self.refresh()
        more = self.view.behind or (self.scan is not None and not self.scan.done)  # a hit may change the view
        self._working = more and self.is_attached
        if self._working:
            self.set_timer(SLICE, self._slice)

    def _due(self) -> bool:
        """Return whether what is found so far is to be painted: painting costs more than finding."""
        now = perf_counter()
        if now - self._painted < REPAINT:
            return False
        self._painted = now
        return True

    # Search and filter.

    def search(self, text: str, origin: int | None = None) -> None:
        """Search for a pattern from a spot on; an empty text ends the search."""
        self.search_text = text
        pattern = search_pattern(text)
        start = self.spot if origin is None else origin
        self.scan = None if pattern is None else self._new_scan(pattern, start)
        self._jump = start if self.scan is not None else None
        self.refresh()
        if self._working:
            self._look()
        self.work()

    # What a search goes through, in spots: the rows of the view, unless a subclass has more.

    def spots(self) -> int:
        """Return how many rows a search looks at."""
        return len(self.view)

    def spot_row(self, spot: int) -> Any:
        """Return a row that a search looks at."""
        return self.view.row(spot)

    def spot_of(self, position: int) -> int:
        """Return the spot of a position of the view."""
        return position

    @property
    def spot(self) -> int:
        """The cursor's spot."""
        return self.spot_of(self.cursor)

    def to_spot(self, spot: int) -> None:
        """Put the cursor on a row that a search looks at."""
        self._to(spot, centre=not self.top <= spot < self.top + self.page, exact=True)

    def _look(self) -> None:
        """Look for hits now, for one slice, so that a key that follows finds them."""
        if self.scan is not None and not self.view.behind:
            self.scan.work()
            self._jump_to_hit()

    def _new_scan(self, pattern: re.Pattern[str], origin: int) -> Scan:
        return Scan(pattern, self.spots(), origin, lambda at: self.words(self.spot_row(at)))

    def _rescan(self) -> None:
        if self.scan is not None:
            self.scan = self._new_scan(self.scan.pattern, self.spot)
            self._jump = None if self._jump is None else self.spot

    def _jump_to_hit(self) -> None:
        if self._jump is None or self.scan is None:
            return
        hit = self.scan.first_from(self._jump)
        if hit is not None:
            self._jump = None
            self.to_spot(hit)
        elif self.scan.done:  # as if nothing had been typed: what fitted the first letters is forgotten
            origin, self._jump = self._jump, None
            if origin != self.spot:
                self.to_spot(origin)

    def set_filter(self, text: str) -> None:
        """Show only rows that pass; raises QueryError for what cannot be understood."""
        test: Test | None = parse_filter(text, self.fields(), self.words)
        self.filter_text = text.strip()
        self.view.filter(_both(test, self.also))
        self._rescan()
        self._settle()
        self.work()

    # Moving.

    def action_hit(self, step: int) -> None:
        """Go to the next match, round the end."""
        if self.scan is None:
            return
        if self._jump:
            self._look()
        hit = self.scan.next(self.spot, step)
        if hit is not None:
            self.to_spot(hit)

    async def action_open(self) -> None:
        """Open the selected row."""
        if self.row is not None and self.opener is not None:
            await self.opener(self)

    async def action_aside(self, step: int) -> None:
        """Go to the neighbour."""
        if self.neighbour is not None:
            await self.neighbour(step)

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """Draw the rule, the headings, or one row."""
        width = self.size.width
        if y == 0:
            return Strip(self._rule(width), width)
        side = [Segment("│ ", theme.RULE)] if self.edge else []
        inner = width - 2 * self.edge
        if y < self.heads:
            return Strip([*side, *self.headings(inner)], width)
        position = self.top + y - self.heads
        if position >= len(self.view):
            note = wrap(clean(self.note), inner - 2) if self.note and not len(self.view) else []
            at = y - self.heads
            return Strip([*side, Segment(fit(f" {note[at]}" if at < len(note) else "", inner), theme.DIM)], width)
        return Strip([*side, *self._row(position, inner - 1), self.bar(y)], width)

    def bar(self, y: int) -> Segment:
        """Return a line's cell of the scroll bar: the window's place, and a dot where the search has hits."""
        thumb = self._thumb(y)
        if self.scan is not None and (share := self._share(y)):
            stop = self.spot_of(share.stop) if share.stop < len(self.view) else self.spots()
            if self.scan.any_in(self.spot_of(share.start), stop):
                return Segment("█" if thumb else "•", theme.DOUBT)
        return Segment("▐" if thumb else " ", theme.RULE)

    def _row(self, position: int, width: int) -> list[Segment]:
        row = self.view.row(position)
        chosen = position == self.cursor and (self.scan is not None or self.selectable(row))
        here = chosen and (self.all_selectable or self.has_focus)
        segments = self.paint(row, width, here)
        pattern = self.scan.pattern if self.scan is not None else None
        skip = max(0, self.unsearched(row)) if pattern is not None else 0
        if not here:
            return segments if pattern is None else mark(segments, pattern, theme.HIT, skip)
        style = theme.CURSOR if self.has_focus else theme.BOLD
        segments = [Segment("".join(segment.text for segment in segments), style)]
        return segments if pattern is None else mark(segments, pattern, style + theme.HIT_CURSOR, skip)

    def _rule(self, width: int) -> list[Segment]:
        left = "┬─ " if self.edge else "─ "
        right = self.position_words()
        room = width - len(left) - cells(right) - 4
        caption = self.caption()
        caption = caption if cells(caption) <= room else fit(caption, max(0, room))
        style = theme.TITLE if self.has_focus else Style.null()
        fill = width - len(left) - cells(caption) - 1 - (cells(right) + 3 if right else 0)
        if not caption:
            left, fill = left[:-1], fill + 1
        segments = [Segment(left, theme.RULE), Segment(caption, style)]
        segments.append(Segment((" " if caption else "─") + "─" * max(0, fill), theme.RULE))
        if right:
            segments.append(Segment(f" {right} ", theme.PLAIN))
            segments.append(Segment("─", theme.RULE))
        return segments

    def position_words(self) -> str:
        """Return the right part of the rule: matches, and where the cursor is."""
        count = len(self.view)
        words = [self.scan.words(self.spot)] if self.scan is not None else []
        if self.view.behind:
            words.append("…")
        if count > self.page or self.all_selectable:
            at = self.cursor + 1 if self.all_selectable else min(self.top + self.page, count)
            words.append(f"{min(at, count):,}/{count:,}")
        return " · ".join(words)

    def on_focus(self) -> None:
        """Show which of two is in hand."""
        self.refresh()

    def on_blur(self) -> None:
        """The other one is in hand."""
        self.refresh()

    # The mouse.

    async def on_click(self, event: events.Click) -> None:
        """Select a row; a click on the selected one opens it."""
        event.stop()
        position = self.top + event.y - self.heads
        if event.y < self.heads:
            self.click_heading(event.x - 2 * self.edge)
        elif 0 <= position < len(self.view) and self.selectable(self.view.row(position)):
            again = position == self.cursor
            self._to(position)
            if again:
                await self.action_open()

    def click_heading(self, x: int) -> None:
        """React to a click above the rows."""


def _both(one: Test | None, other: Test | None) -> Test | None:
    if one is None or other is None:
        return one or other
    return lambda row: one(row) and other(row)
