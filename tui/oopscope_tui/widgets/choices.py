"""The list over the prompt: what fits the line so far, the letters that matched underlined, one row to choose."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit
from oopscope_tui.widgets.chrome import Bar

if TYPE_CHECKING:
    from oopscope_tui.prompt.choice import Ranked

MOST = 8  # rows in view
KIND = 8  # cells
NAME = (16, 44)  # cells at least and at most
HELP = "↑↓ choose · Tab completes · Enter goes"
MATCHED = Style(bold=True, underline=True)


class Choices(Bar):
    """Rows above the prompt, over the pane."""

    DEFAULT_CSS = "Choices { layer: above; dock: bottom; height: 1; margin-bottom: 2; }"

    def __init__(self, choose: Callable[["Ranked"], None]) -> None:
        super().__init__()
        self._choose = choose
        self.rows: Sequence[Ranked] = ()
        self.at = 0
        self.moved = False  # the user chose the row
        self._count = ""
        self._top = 0
        self.display = False

    def show(self, rows: Sequence["Ranked"], found: int, more: bool) -> None:
        """Show rows, the first chosen."""
        self.rows, self.at, self.moved, self._top = rows, 0, False, 0
        self._count = f"{found:,}{'…' if more else ''}" if found > MOST else ""
        self.styles.height = min(MOST, len(rows), max(1, self.app.size.height - 6)) + 1
        self.display = bool(rows)
        self.refresh()

    def move(self, step: int) -> None:
        """Choose the neighbouring row."""
        self.at = max(0, min(self.at + step, len(self.rows) - 1))
        page = self.size.height - 1
        self._top = max(self.at - page + 1, min(self._top, self.at))
        self.moved = True
        self.refresh()

    @property
    def chosen(self) -> "Ranked | None":
        """The row that is chosen, None without any."""
        return self.rows[self.at] if self.rows else None

    def renew(self) -> None:
        """Draw the rows anew."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the rule or a row."""
        width = self.size.width
        at = self._top + y - 1
        if y == 0:
            return Strip(self.segments(width)).adjust_cell_length(width)
        row = self._row(self.rows[at], width, at == self.at) if at < len(self.rows) else []
        return Strip(row).adjust_cell_length(width)

    def segments(self, width: int) -> list[Segment]:
        """Return the rule: what the keys do, and how many fit."""
        right = f" {self._count} ─" if self._count else ""
        left = f"─ {HELP} "
        if cells(left) + cells(right) > width:
            left = ""
        return [Segment(left + "─" * max(0, width - cells(left) - cells(right)) + right, theme.RULE)]

    def _row(self, one: "Ranked", width: int, here: bool) -> list[Segment]:
        least, most = NAME
        room = max(least, min(most, width // 2, max(cells(clean(row.choice.shown)) for row in self.rows)))
        rest = f"  {fit(clean(one.choice.kind), KIND)} {clean(one.choice.what)}"
        rest = fit(rest, max(0, width - room - 2))
        shown = _marked(one.choice.shown, one.positions, room, theme.CURSOR if here else theme.PLAIN)
        if here:
            return [Segment(" ►", theme.CURSOR), *shown, Segment(rest, theme.CURSOR)]
        return [Segment("  "), *shown, Segment(rest, theme.DIM)]

    def on_click(self, event: events.Click) -> None:
        """Take the row that was clicked."""
        event.stop()
        at = self._top + event.y - 1
        if event.y and at < len(self.rows):
            self._choose(self.rows[at])


def _marked(text: str, positions: Sequence[int], room: int, style: Style) -> list[Segment]:
    """Return a name in its room, the matched letters marked; a stand-in may be longer than what it stands for."""
    wanted, used = set(positions), 0
    out: list[Segment] = []
    for at, char in enumerate(text[:room]):
        piece = clean(char)
        if used + cells(piece) > room - (at + 1 < len(text)):
            break
        used += cells(piece)
        own = style + MATCHED if at in wanted else style
        if out and out[-1].style == own:
            out[-1] = Segment(out[-1].text + piece, own)
        else:
            out.append(Segment(piece, own))
    tail = "…" if used < room and len("".join(part.text for part in out)) < len(text) else ""
    return [*out, Segment(fit(tail, room - used), style)]
