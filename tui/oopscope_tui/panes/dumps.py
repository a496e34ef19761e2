"""Dumps: what a folder holds, newest first; Enter opens one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_lines
from oopscope_tui.places import Place
from oopscope_tui.text import plural
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Table, col
from oopscope_tui.widgets.textview import Line


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


COLUMNS = (
    col("name", "Dump", least=24),
    col("modified", "Written (UTC)", "int", words=_when, down=True, rank=1),
    col("bytes", "Size", "bytes"),
    col("nodename", "Host", rank=1, most=24),
    col("release", "Kernel", rank=2, most=32),
    col("format", "Format", rank=3, value=lambda row: row.format or row.why, most=40),
)


class Dumps(Pane):
    """The dumps of a folder."""

    NARROW = "never"
    BESIDE = False

    def make_main(self) -> Lines:
        """Return the list, the newest first."""
        table = Table("Dumps", COLUMNS, id="main-dumps")
        table.sort_by(COLUMNS[1])
        return table

    def refill(self) -> None:
        """Take in what was found."""
        feed = self.store.feed("dumps")
        self.main.note = "no dump in this folder, nor in those in it" if feed.state == "done" else feed.note
        if self.main.view.rows is not feed.rows:
            self.main.set_rows(feed.rows)
        else:
            self.main.grew()

    def row_key(self, row: Any) -> int | str | None:
        """Return the name."""
        name: str = row.name
        return name

    def notes(self) -> list[str]:
        """Return the count."""
        return [plural(len(self.main.view.rows), "dump")]

    def selected_link(self) -> Place | None:
        """Open the dump itself."""
        if self.main.row is not None:
            self.scope.leave_for(self.main.row.path)
        return None

    def detail(self, width: int) -> Sequence[Line]:
        """Return the row's fields."""
        return empty(self.main.note, width) if self.main.row is None else field_lines(COLUMNS, self.main.row, width)


PANE = Dumps
