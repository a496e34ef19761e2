"""Long lines of a text wrapped: a row takes as many lines of the screen as it needs, and nothing is built for it.

What is in view is laid out from its top row on, so that a million rows cost no more than a page of them.
"""

from typing import Any

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

from oopscope_tui.look.text import cells
from oopscope_tui.widgets.textview import TextView

MOST = 12  # lines of one row; its detail shows all of it


class Wrapping(TextView):
    """A text view whose rows may take several lines."""

    def __init__(self, title: str = "", **more: Any) -> None:
        super().__init__(title, **more)
        self.wrapping = False
        self._laid: list[tuple[int, int]] = []  # what the lines show, while they are drawn

    def indent(self) -> int:
        """Return the cells in front of the text, blank on the lines that follow the first."""
        return 0

    def action_wrap(self) -> None:
        """Wrap long lines, or let them run out of sight."""
        self.wrapping = not self.wrapping
        self.left = 0
        self._show_cursor()
        self.refresh()

    def _room(self) -> int:
        return max(8, self.text_width - self.indent())

    def _height(self, position: int) -> int:
        """Return how many lines a row takes."""
        size = cells(self.words_shown(position)) - self.indent()
        return max(1, min(MOST, -(-size // self._room())))

    def words_shown(self, position: int) -> str:
        """Return a row as it is drawn."""
        return "".join(text for text, _ in self.parts(self.view.row(position)))

    def _layout(self) -> list[tuple[int, int]]:
        """Return the row and its part of each line from the top on."""
        lines: list[tuple[int, int]] = []
        position = self.top
        while len(lines) < self.page and position < len(self.view):
            lines += [(position, part) for part in range(self._height(position))]
            position += 1
        return lines[: self.page]

    def _fitting(self, last: int) -> int:
        """Return the first row from which on all to `last` are in view."""
        room, first = self.page - self._height(last), last
        while first and room > 0:
            room -= self._height(first - 1)
            if room < 0:
                break
            first -= 1
        return first

    @property
    def rows_in_view(self) -> int:
        """How many rows are wholly in view, at least one."""
        if not self.wrapping:
            return self.page
        lines = self._layout()
        if not lines:
            return 1
        last, part = lines[-1]
        return max(1, last - self.top + (part + 1 == self._height(last)))

    # Moving.

    def _clamp_top(self, top: int) -> int:
        if not self.wrapping or not len(self.view):
            return super()._clamp_top(top)
        return max(0, min(top, self._fitting(len(self.view) - 1)))

    def _show_cursor(self) -> None:
        if not self.wrapping or not len(self.view):
            super()._show_cursor()
            return
        self.cursor = min(self.cursor, len(self.view) - 1)
        self.top = self._clamp_top(min(max(self.top, self._fitting(self.cursor)), self.cursor))

    def _scroll(self, step: int) -> None:
        if not self.wrapping:
            super()._scroll(step)
            return
        self.top = self._clamp_top(self.top + step)
        if not self.top <= self.cursor < self.top + self.rows_in_view and len(self.view):
            self._place(max(self.top, min(self.cursor, self.top + self.rows_in_view - 1)))
        self.refresh()

    def action_page(self, step: int) -> None:
        """Move by a page, keeping a line in sight."""
        if not self.wrapping or not len(self.view):
            super().action_page(step)
            return
        before = self.top
        if step > 0:
            self.top = self._clamp_top(self.top + max(1, self.rows_in_view - 1))
        else:
            self.top = min(self._fitting(self.top), max(0, self.top - 1))
        by = self.top - before
        self._place(max(0, min(self.cursor + by, len(self.view) - 1)) if by else (len(self.view) - 1) * (step > 0))
        self._show_cursor()
        self.refresh()

    def action_half(self, step: int) -> None:
        """Move by half of the records in view."""
        if self.wrapping:
            self._turn(max(1, self.rows_in_view // 2) * step)
        else:
            super().action_half(step)

    async def action_aside(self, step: int) -> None:
        """Scroll sideways where lines run out of sight; else go to the neighbour."""
        if not self.wrapping:
            await super().action_aside(step)
        elif self.neighbour is not None:
            await self.neighbour(step)

    def _refresh_rows(self, *positions: int) -> None:
        if self.wrapping:
            self.refresh()
        else:
            super()._refresh_rows(*positions)

    # Drawing.

    def position_at(self, y: int) -> int | None:
        """Return which row a line of the widget shows."""
        at = y - self.heads
        if not self.wrapping:
            return self.top + at if 0 <= at < min(self.page, len(self.view) - self.top) else None
        lines = self._layout()
        return lines[at][0] if 0 <= at < len(lines) else None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines, laid out once for all."""
        self._laid = self._layout() if self.wrapping else []
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw a line; of a wrapped row its part."""
        lines = self._laid
        if not self.wrapping or y < self.heads:
            return super().render_line(y)
        if y - self.heads >= len(lines):
            return super().render_line(self.size.height + len(self.view)) if len(self.view) else super().render_line(y)
        position, part = lines[y - self.heads]
        indent, room = self.indent(), self._room()
        whole = indent + room * self._height(position)
        row = Strip(self._row(position, whole), whole)
        start = indent + room * part
        head = row.crop(0, indent) if part == 0 else Strip(self._blank(position, indent), indent)
        return Strip.join([head, row.crop(start, start + room), Strip([self.bar(y)], 1)])

    def _blank(self, position: int, indent: int) -> list[Segment]:
        gutter, style = self.parts(self.view.row(position))[0]
        return [Segment(gutter[:1], style), Segment(" " * (indent - 1))] if indent else []
