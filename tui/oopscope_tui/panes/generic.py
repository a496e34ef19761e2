"""The pane of any table that has none of its own: its columns as core declares them, and the selected row in full."""

from collections.abc import Sequence
from typing import Any

from oopscope import subsystems as core
from oopscope.subsystems.problems import PROBLEMS
from oopscope_tui.look.text import clean, plural
from oopscope_tui.look.values import show
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_lines
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import LEAST, Col, Table, col
from oopscope_tui.widgets.textview import Line

NAME = 24  # cells of the first column, which names the row: the others are squeezed before it
MOST = {"text": 60, "list": 40, "frames": 60, "registers": 40}


class Generic(Pane):
    """A list from core's own columns."""

    def make_main(self) -> Lines:
        """Return the table; its columns come with the first rows."""
        self._table: core.Table | None = None
        return Table(self.title, (), id=f"main-{self.key}")

    def refill(self) -> None:
        """Take in columns and rows."""
        feed = self.store.feed(self.key)
        table = PROBLEMS if self.key == "problems" else feed.table
        rows = self.store.problems if self.key == "problems" else feed.rows
        assert isinstance(self.main, Table)
        if table is not None and table is not self._table:
            self._table = table
            self.main.set_columns([_column(column, at == 0) for at, column in enumerate(table.columns)])
            first = next((one for one in self.main.columns if one.key == table.sort.lstrip("-")), None)
            self.main.sort_by(first, table.sort.startswith("-"))
        self.main.note = "nothing: all that was asked for could be read" if self.key == "problems" else feed.note
        if self.main.view.rows is not rows:
            self.main.set_rows(rows)
        else:
            self.main.grew()

    def detail_title(self) -> str:
        """Return the row's name, an address as one."""
        row, table = self.main.row, self._table
        if row is None or table is None:
            return ""
        columns = (one for one in table.columns if one.key in table.named_by)
        return clean(" ".join(show(one.kind, getattr(row, one.key, None)) for one in columns))[:60]

    def detail(self, width: int) -> Sequence[Line]:
        """Return the row's fields."""
        if self.main.row is None or self._table is None:
            return empty(self.main.note, width)
        lines = field_lines(self._table.columns, self.main.row, width)
        return lines if self.key == "problems" else [*lines, *self.problem_lines(self.key, width)]

    def row_key(self, row: Any) -> int | str | None:
        """Return what names the row, as its table says."""
        return self._table.name_of(row) if self._table is not None else None

    def row_of(self, key: int | str) -> int | None:
        """Return the selected row where several have the name; a name of several words may be named by the first."""
        row = self.main.row
        if row is not None and self.row_key(row) == key:
            return self.main.current
        found = super().row_of(key)
        if found is None and self._table is not None and len(self._table.named_by) > 1:
            first = self._table.named_by[0]
            found = next((at for at, one in enumerate(self.main.view.rows) if getattr(one, first, None) == key), None)
        return found

    def notes(self) -> list[str]:
        """Return the count, and what is known to be missing; nothing where the table could not be read."""
        feed = self.store.feed(self.key)
        if feed.state == "failed":
            return []
        lacks = feed.lacks
        count = plural(len(self.main.view.rows), "row")
        return [f"{count} {lacks}" if lacks.startswith("of") else count, lacks if not lacks.startswith("of") else ""]


def _column(column: core.Column, first: bool) -> Col:
    least = NAME if first else LEAST
    return col(
        column.key, clean(column.title), column.kind, names=column.names, most=MOST.get(column.kind, 0), least=least,
        spare=not (column.brief or first),
    )  # fmt: skip


PANE = Generic
