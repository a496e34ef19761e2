"""A cursor and a window over a View: what moves in a table and in a text, by keys and by the wheel.

Scrolling is ours (a number), so that a line's step repaints nothing but what changed.
"""

from typing import Any, ClassVar, Self

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from oopscope_tui.widgets.view import View

WHEEL = 3  # rows a notch


class Window(Widget, can_focus=True):
    """Which rows are in view, and on which the cursor stands; it stays there through sort and filter."""

    ALLOW_SELECT: ClassVar[bool] = False
    heads = 1  # lines above the rows: the rule, and headings
    all_selectable = True  # False: the cursor stands only where `selectable` says

    class Moved(Message):
        """The cursor is on another row."""

        def __init__(self, lines: "Window") -> None:
            super().__init__()
            self.lines = lines

        def can_replace(self, message: Message) -> bool:
            """Of several in a row the last counts."""
            return isinstance(message, Window.Moved) and message.lines is self.lines

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.view = View([])
        self.top = 0
        self.cursor = 0
        self.current: int | None = None  # the selected row's number, whatever sort and filter make of it
        self.touched = False  # someone chose the row; until then the cursor stays at the top
        self._centre = False  # the cursor goes to the upper third once the size is known
        # The cursor and the window as someone left them: a size that holds for a moment, or none, does not move them.
        self._left_at: tuple[int, int, bool] | None = None  # cursor, top, whether the cursor was in view

    def focus(self, scroll_visible: bool = True) -> Self:
        """Take the keys at once: those that are typed ahead are meant for this."""
        if not self.is_attached:
            return super().focus(scroll_visible)
        self.screen.set_focus(self, scroll_visible)
        return self

    def selectable(self, row: Any) -> bool:
        """Return whether the cursor may stand on a row."""
        return True

    @property
    def page(self) -> int:
        """How many rows are in view."""
        return max(1, self.size.height - self.heads)

    @property
    def row(self) -> Any:
        """The row under the cursor, None without one."""
        return self.view.row(self.cursor) if 0 <= self.cursor < len(self.view) else None

    def _settle(self) -> None:
        """Find the selected row again after the view changed."""
        count = len(self.view)
        if self.current is None or not self.touched:
            self.cursor = 0
            self.current = None
            self.top = 0  # also where the first link stands further down
            if count and not self.all_selectable:
                self.cursor = self._seek(-1, 1) or 0
                self._stay()
        elif not count:  # none shows, perhaps only for now: the choice stays
            self.cursor = self.top = 0
        else:
            self.cursor = self.view.nearest(self.current)
            self._show_cursor()
        self.refresh()
        if not self.view.behind:
            if count and self.current is None:
                self.current = self.view.row_id(self.cursor)
            self.post_message(self.Moved(self))

    def action_move(self, step: int) -> None:
        """Move by a row; in a text, to the next link, or by a line where none is near."""
        if self.all_selectable:
            self._to(self.cursor + step)
            return
        target = self._seek(self.cursor, step)
        low, high = self.top - (step < 0), self.top + self.page - (step < 0)
        if target is not None and low <= target <= high:
            self._to(target)
        else:
            self._scroll(step)

    def _seek(self, position: int, step: int) -> int | None:
        position += step
        while 0 <= position < len(self.view):
            if self.selectable(self.view.row(position)):
                return position
            position += step
        return None

    def action_page(self, step: int) -> None:
        """Move by a page, keeping a line in sight."""
        self._turn(max(1, self.page - 1) * step)

    def action_half(self, step: int) -> None:
        """Move by half a page, as less and vim do."""
        self._turn(max(1, self.page // 2) * step)

    def _turn(self, by: int) -> None:
        """Move the window and the cursor with it."""
        if not self.all_selectable:
            self._scroll(by)
        elif len(self.view):
            self.top = self._clamp_top(self.top + by)
            self._place(max(0, min(self.cursor + by, len(self.view) - 1)))
            self._left_at = None
            self._show_cursor()
            self._left()
            self.refresh()

    def action_edge(self, end: int) -> None:
        """Go to the first row or the last; in a text to its edge, and to the link that is nearest to it in view."""
        count = len(self.view)
        if self.all_selectable:
            self._to(count - 1 if end else 0)
            return
        self._scroll(count if end else -count)
        found = self._seek(count, -1) if end else self._seek(-1, 1)
        if found is not None and self.top <= found < self.top + self.page:
            self._place(found)

    def _scroll(self, step: int) -> None:
        """Move the window; the cursor goes to the nearest row that may be selected in it."""
        self.top = self._clamp_top(self.top + step)
        self._left()
        if not self.top <= self.cursor < self.top + self.page:
            found = self._seek(self.top - 1, 1) if step > 0 else self._seek(self.top + self.page, -1)
            if found is not None and self.top <= found < self.top + self.page:
                self._place(found)
                self._left()
        self.refresh()

    def _to(self, position: int, centre: bool = False, exact: bool = False) -> None:
        """Put the cursor on a position, or in a text on the link next to it unless it is to be `exact`."""
        count = len(self.view)
        if not count:
            return
        before, old_top = self.cursor, self.top
        position = max(0, min(position, count - 1))
        if not (self.all_selectable or centre or exact or self.selectable(self.view.row(position))):
            found = self._seek(position, 1)
            position = found if found is not None else (self._seek(position, -1) or position)
        self._place(position)
        if centre:
            self._centre = self.size.height == 0  # not laid out yet: once it is
            self.top = self._clamp_top(position - self.page // 3)
        self._left_at = None
        self._show_cursor()
        self._left()
        if self.top != old_top:
            self.refresh()
        elif before != self.cursor:
            self._refresh_rows(before, self.cursor)

    def _place(self, position: int) -> None:
        self.cursor = position
        self.touched = True
        row_id = self.view.row_id(position)
        if row_id != self.current:
            self.current = row_id
            self.post_message(self.Moved(self))

    def _clamp_top(self, top: int) -> int:
        return max(0, min(top, len(self.view) - self.page))

    def _left(self) -> None:
        """Note where the cursor and the window were put."""
        if self.size.height:
            self._left_at = self.cursor, self.top, self.top <= self.cursor < self.top + self.page

    def _stay(self) -> bool:
        """Put the window where it was left, unless the cursor is elsewhere by now; return whether nothing is to do."""
        if self._left_at is None or self._left_at[0] != self.cursor or not self.size.height:
            return False
        self.top = self._clamp_top(self._left_at[1])
        return not self._left_at[2] or self.top <= self.cursor < self.top + self.page

    def _show_cursor(self) -> None:
        if self._stay():
            return
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + self.page:
            self.top = self.cursor - self.page + 1
        self.top = self._clamp_top(self.top)

    def _refresh_rows(self, *positions: int) -> None:
        width = self.size.width
        lines = [position - self.top + self.heads for position in positions]
        self.refresh(*[Region(0, line, width, 1) for line in (0, *lines) if 0 <= line < self.size.height])

    def _thumb(self, y: int) -> bool:
        count, page = len(self.view), self.page
        if count <= page:
            return False
        size = max(1, page * page // count)
        start = (page - size) * self.top // (count - page)
        return start <= y - self.heads < start + size

    def _share(self, y: int) -> range:
        """Return the positions that a cell of the scroll bar stands for; none where there is no bar."""
        count, page, at = len(self.view), self.page, y - self.heads
        if count <= page:
            return range(0)
        return range(count * at // page, count * (at + 1) // page)

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        if self._centre and self.size.height:
            self._centre = False
            self.top = self._clamp_top(self.cursor - self.page // 3)
        if self.touched:
            self._show_cursor()
        self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down."""
        event.stop()
        self._wheel(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up."""
        event.stop()
        self._wheel(-WHEEL)

    def _wheel(self, step: int) -> None:
        if self.all_selectable and len(self.view) <= self.page:
            return
        self._scroll(step)
