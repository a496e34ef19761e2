"""The box of a lesson under the pane: what the step says, what it asks, what came of the answer."""

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit, wrap

MOST = 0.5  # of the screen's height


class LessonBox(Widget):
    """Lines that `tell` makes for a width: a style and a text each, the first the title."""

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = "LessonBox { height: 8; background: ansi_default; color: ansi_default; }"

    def __init__(self, tell: Callable[[], tuple[str, str, list[tuple[str, str]]]]) -> None:
        super().__init__()
        self._tell = tell

    def lines(self, width: int) -> list[list[Segment]]:
        """Return all that is to be said."""
        title, step, parts = self._tell()
        left, right = f"─ {clean(title)} ", f" {step} ─"
        rule = "─" * max(0, width - cells(left) - cells(right))
        out = [[Segment(left, theme.TITLE), Segment(rule, theme.RULE), Segment(right, theme.RULE)]]
        styles = {"ask": theme.BOLD, "right": theme.KEY, "wrong": theme.DOUBT, "keys": theme.DIM}
        for kind, text in parts:
            out += [[Segment(f" {part}", styles.get(kind, theme.PLAIN))] for part in wrap(clean(text), width - 2)]
        return out

    def renew(self) -> None:
        """Take the height that the text needs, and draw it."""
        width, height = self.app.size
        self.styles.height = max(3, min(len(self.lines(width)), int(height * MOST)))
        self.refresh()

    def on_resize(self) -> None:
        """Another width needs another height."""
        self.call_after_refresh(self.renew)

    def render_line(self, y: int) -> Strip:
        """Draw a line; where not all fit, the last says so."""
        width, lines = self.size.width, self.lines(self.size.width)
        if y >= len(lines):
            return Strip.blank(width)
        if y == self.size.height - 1 and len(lines) > self.size.height:
            return Strip([Segment(fit(" … a larger window shows more", width), theme.DIM)]).adjust_cell_length(width)
        return Strip(lines[y]).adjust_cell_length(width)
