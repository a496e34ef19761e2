"""CPUs: what each ran when the machine died, its backtrace and its registers."""

from collections.abc import Sequence
from typing import Any

from rich.style import Style

from oopscope_tui import theme
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import register_lines, stack_lines
from oopscope_tui.places import Place
from oopscope_tui.text import clean, plural
from oopscope_tui.values import show
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Table, col, reader
from oopscope_tui.widgets.textview import BLANK, Line, heading, line


def _where(row: Any) -> str | None:
    """Return the innermost function."""
    return next((frame.symbol for frame in row.frames or () if frame.symbol), None)


COLUMNS = (
    col("cpu", "CPU", "int"),
    col("state", "State", "state"),
    col("pid", "PID", "int"),
    col("comm", "Command", most=24),
    col("where", "In", "symbol", value=_where, most=40, least=24),
    col("online", "Online", "bool", rank=3),
    col("task", "task_struct", "address", rank=4),
)
WORDS = {"panic": "the CPU that died", "running": "in the kernel", "idle": "idle", "user": "in user mode"}


class Cpus(Pane):
    """The list and the selected CPU's stack and registers."""

    NARROW = "under"
    SHARE = 55
    needs = ("cpus",)

    def make_main(self) -> Lines:
        """Return the list."""
        table = Table("CPUs", COLUMNS, id="main-cpus")
        table.row_style = self._style
        return table

    def _style(self, row: Any) -> Style | None:
        return theme.BAD if row.state == "panic" else theme.DIM if row.state == "idle" or row.online is False else None

    def refill(self) -> None:
        """Take in rows; begin with the CPU that died."""
        feed = self.store.feed("cpus")
        self.main.note = feed.note
        if self.main.view.rows is feed.rows:
            self.main.grew()
            return
        self.main.set_rows(feed.rows)
        if self.wanted is None and self.store.verdict is not None and self.store.verdict.cpu is not None:
            self.wanted = Place("cpus", self.store.verdict.cpu)

    def changed(self) -> None:
        """Make room for the rows."""
        super().changed()
        self.place_views()

    def row_key(self, row: Any) -> int | str | None:
        """Return the CPU's number."""
        cpu: int = row.cpu
        return cpu

    def notes(self) -> list[str]:
        """Return the count."""
        rows = self.store.feed("cpus").rows
        return [plural(len(rows), "CPU")] if rows else []

    def detail_title(self) -> str:
        """Return the CPU's name."""
        return f"CPU {self.main.row.cpu}" if self.main.row is not None else ""

    def detail(self, width: int) -> Sequence[Line]:
        """Return what it ran, the stack, the registers."""
        row = self.main.row
        if row is None:
            return empty(self.main.note, width)
        verdict = self.store.verdict
        bad = row.state == "panic"
        state = WORDS.get(row.state, show("state", row.state)) if row.online is not False else "offline"
        comm = clean(row.comm or "")
        lines = [
            line(
                " ",
                (state, theme.BAD if bad else theme.PLAIN),
                " · ",
                (f"{show('int', row.pid)} {comm}", theme.LINK),
                link=Place("tasks", row.pid, True) if row.pid else None,
            ),
            BLANK,
            heading(" Stack"),
        ]
        culprit = verdict.symbol if bad and verdict is not None else None
        lines += stack_lines(row.frames or (), width, culprit) or empty("no frames", width)
        lines += [BLANK, heading(" Registers"), *register_lines(reader("registers")(row), width)]
        return [*lines, *self.problem_lines("cpus", width)]


PANE = Cpus
