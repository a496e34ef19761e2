"""The pane of any table that has none of its own: its columns as core declares them, and the selected row in full."""

from collections.abc import Sequence
from typing import Any

from oopscope_tui.look.text import clean, plural
from oopscope_tui.look.values import show
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_lines
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import LEAST, Col, Table, col
from oopscope_tui.widgets.textview import Line

SORTED = {"slabs": "bytes"}  # tables that begin in another order than their own
NAMED_BY = {"zones": ("node", "name")}  # tables whose first field alone names no row
NAME = 24  # cells of the first column, which names the row: the others are squeezed before it
MOST = {"text": 60, "list": 40, "frames": 60, "registers": 40}
PROBLEM_COLUMNS = (col("section", "Section"), col("message", "What", most=100), col("address", "Address", "address"))


class Generic(Pane):
    """A list from core's own columns."""

    def make_main(self) -> Lines:
        """Return the table; its columns come with the first rows."""
        self._columns: Sequence[Any] = ()
        return Table(self.title, (), id=f"main-{self.key}")

    def refill(self) -> None:
        """Take in columns and rows."""
        feed = self.store.feed(self.key)
        columns = PROBLEM_COLUMNS if self.key == "problems" else feed.columns
        rows = self.store.problems if self.key == "problems" else feed.rows
        assert isinstance(self.main, Table)
        if columns is not self._columns:
            self._columns = columns
            self.main.set_columns([_column(column, at == 0) for at, column in enumerate(columns)])
            first = next((column for column in self.main.columns if column.key == SORTED.get(self.key)), None)
            self.main.sort_by(first)
        self.main.note = "nothing: all that was asked for could be read" if self.key == "problems" else feed.note
        if self.main.view.rows is not rows:
            self.main.set_rows(rows)
        else:
            self.main.grew()

    def detail_title(self) -> str:
        """Return the row's name, an address as one."""
        row = self.main.row
        if row is None:
            return ""
        column = None if self.key in NAMED_BY else self._naming(row)
        name = str(self.row_key(row)) if column is None else show(column.kind, getattr(row, column.key))
        return clean(name)[:60]

    def detail(self, width: int) -> Sequence[Line]:
        """Return the row's fields."""
        if self.main.row is None:
            return empty(self.main.note, width)
        lines = field_lines(self._columns, self.main.row, width)
        return lines if self.key == "problems" else [*lines, *self.problem_lines(self.key, width)]

    def row_key(self, row: Any) -> int | str | None:
        """Return the first field that names the row, or the fields that together do."""
        if self.key in NAMED_BY:
            return " ".join(str(getattr(row, name, "")) for name in NAMED_BY[self.key])
        column = self._naming(row)
        return None if column is None else getattr(row, column.key)

    def row_of(self, key: int | str) -> int | None:
        """Return the selected row where several have the name: two tasks may wait for one lock."""
        row = self.main.row
        return self.main.current if row is not None and self.row_key(row) == key else super().row_of(key)

    def _naming(self, row: Any) -> Any:
        """Return the first column that names the row."""
        for column in self._columns:
            value = getattr(row, column.key, None)
            if isinstance(value, (str, int)) and not isinstance(value, bool):
                return column
        return None

    def notes(self) -> list[str]:
        """Return the count."""
        return [plural(len(self.main.view.rows), "row")]


def _column(column: Any, first: bool) -> Col:
    if isinstance(column, Col):
        return column
    least = NAME if first else LEAST
    return col(column.key, clean(column.title), column.kind, most=MOST.get(column.kind, 0), least=least)


PANE = Generic
