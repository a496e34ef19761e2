"""The chooser of a table's columns: a list over the table's right side; each key shows at once in the table."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from rich.segment import Segment

from oopscope_tui.look import theme
from oopscope_tui.look.text import clean, fit
from oopscope_tui.settings import keys
from oopscope_tui.widgets.lines import Lines

WIDTH = 36


class Column(Protocol):
    """A column, as far as it is chosen here."""

    @property
    def key(self) -> str:
        """What the settings call it."""

    @property
    def title(self) -> str:
        """What stands over it."""


class Columned(Protocol):
    """A table, as far as its columns are chosen here."""

    @property
    def columns(self) -> Sequence[Column]:
        """All columns."""

    @property
    def shown(self) -> Sequence[Column]:
        """Those that show where there is room."""

    def laid_out(self) -> Sequence[tuple[Column, int]]:
        """Return the columns that fit, and their widths."""

    def choose(self, chosen: Sequence[str] | None) -> None:
        """Show these columns in this order, None for the default."""

    def set_width(self, key: str | None, width: int) -> None:
        """Give a column a width; without a key, every column its own again."""

    def focus(self) -> object:
        """Take the keys."""


class Columns(Lines):
    """All columns of a table: those that show in their order, then the others."""

    DEFAULT_CSS = "Columns { layer: above; dock: right; height: 1fr; }"
    BINDINGS = keys.bindings(keys.CHOOSER)
    KEYS: ClassVar[tuple[keys.Key, ...]] = keys.CHOOSER

    def __init__(self, table: Columned) -> None:
        super().__init__("Columns", edge=True)
        self.table = table
        self.showing: list[str] = []
        self.note = "no columns yet: nothing has been read"

    def on_mount(self) -> None:
        """Take the keys."""
        self.styles.width = min(WIDTH, self.app.size.width)
        self.focus()
        self.fill()

    def fill(self) -> None:
        """List the columns: those that show first, in their order."""
        self.showing = [column.key for column in self.table.shown]
        rest = [column.key for column in self.table.columns if column.key not in self.showing]
        self.set_rows([*self.showing, *rest])

    def words(self, row: str) -> str:
        """Return the column's title."""
        return clean(next((column.title for column in self.table.columns if column.key == row), ""))

    def paint(self, row: str, width: int, here: bool) -> list[Segment]:
        """Return the sign, the title and the cells that the column has."""
        sizes = {column.key: size for column, size in self.table.laid_out()}
        shown = row in self.showing
        size = f"{sizes[row]} cells" if row in sizes else "no room" if shown else ""
        sign = "►" if here else " "
        style = theme.PLAIN if row in sizes else theme.DOUBT if shown else theme.DIM
        text = f"{sign}[{'x' if shown else ' '}] {fit(self.words(row), max(1, width - 17))} {size:>10} "
        return [Segment(fit(text, width), style)]

    # Keys.

    def _choose(self, order: list[str], showing: list[str]) -> None:
        """Show these columns, in the order of the list."""
        key = self.row
        self.showing = [name for name in order if name in showing]
        self.table.choose(self.showing)
        self.set_rows(order)
        self.select(order.index(key))

    def action_show_column(self) -> None:
        """Show or hide the column; the last one stays."""
        order, key = list(self.view.rows), self.row
        if key in self.showing and len(self.showing) > 1:
            self._choose(order, [name for name in self.showing if name != key])
        elif key is not None and key not in self.showing:
            self._choose(order, [*self.showing, key])

    def action_shift(self, step: int) -> None:
        """Put the column further to the left or the right."""
        order = list(self.view.rows)
        if order:
            order.insert(max(0, self.cursor + step), order.pop(self.cursor))
            self._choose(order, self.showing)

    def action_widen(self, step: int) -> None:
        """Make the column wider or narrower."""
        size = next((size for column, size in self.table.laid_out() if column.key == self.row), 0)
        if size:
            self.table.set_width(self.row, max(1, size + step))
            self.refresh()

    def action_default(self) -> None:
        """Show the columns as they were."""
        self.table.set_width(None, 0)
        self.table.choose(None)
        self.fill()

    async def action_open(self) -> None:
        """Go: what was chosen shows already."""
        self.action_close()

    def action_close(self) -> None:
        """Give the keys back to the table."""
        if self.is_attached:
            self.table.focus()
            self.remove()

    def on_blur(self) -> None:
        """Go when the keys go elsewhere."""
        super().on_blur()
        if self.app.app_focus and self.is_attached:
            self.remove()
