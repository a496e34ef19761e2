"""Tasks: the list, and of the selected task its stack and all else that is known; Enter opens it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style

from oopscope_tui.look import theme
from oopscope_tui.look.text import clean, plural
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.tasks.detail import QUESTIONS, task_lines
from oopscope_tui.panes.tasks.table import TaskTable
from oopscope_tui.places import Place
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import Line

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Task


class Tasks(Pane):
    """The list and all of the selected task."""

    needs = ("tasks", "cpus", "locks", "waits")

    def make_main(self) -> Lines:
        """Return the list."""
        table = TaskTable(id="main-tasks")
        table.row_style = self._style
        self._shown_culprit = False
        return table

    def _style(self, row: "Task") -> Style | None:
        verdict = self.store.verdict
        if verdict is not None and verdict.pid is not None and row.pid == verdict.pid:
            return theme.BAD
        return theme.DOUBT if row.state == "D" else theme.DIM if row.kernel_thread else None

    def refill(self) -> None:
        """Take in rows."""
        feed = self.store.feed("tasks")
        assert isinstance(self.main, TaskTable)
        self.main.note = feed.note
        verdict = self.store.verdict
        if feed.state == "done" and verdict is not None and not self._shown_culprit:
            self._shown_culprit = True
            busy = self.main.touched or self.main.scan is not None  # the cursor is the user's by now
            if self.wanted is None and not busy and verdict.pid is not None:
                self.wanted = Place("tasks", verdict.pid)
        if self.main.view.rows is not feed.rows:
            self.main.set_rows(feed.rows)
        else:
            self.main.grown(feed.state == "done")
        self.followed()

    def row_key(self, row: "Task") -> int | str | None:
        """Return the PID."""
        return row.pid

    def row_of(self, key: int | str) -> int | None:
        """Return the task of a PID; several idle tasks have PID 0, and a name finds the first of it."""
        for at, row in enumerate(self.main.view.rows):
            if key in (row.pid, row.comm):
                return at
        return None

    def followed(self) -> None:
        """Ask for what the detail tells of the selected task."""
        row = self.main.row
        if row is not None and self.side is not None and self.side.display:
            for kind in QUESTIONS:
                self.scope.ask(kind, row.address)

    def place_views(self) -> None:
        """Place the views, and ask for the detail that came into view."""
        super().place_views()
        self.followed()

    def notes(self) -> list[str]:
        """Return counts by state."""
        rows = self.store.tasks
        blocked = self.count("blocked", rows, lambda row: row.state == "D")
        words = plural(len(rows), "task") + (f", {blocked} blocked" if blocked else "")
        return [words] if rows else []

    def detail_title(self) -> str:
        """Return the task's PID and name."""
        row = self.main.row
        return f"{'-' if row.pid is None else row.pid} {clean(row.comm or '-')[:40]}" if row is not None else ""

    def crumbs(self) -> list[str]:
        """Tasks, the task, its stack."""
        return [*super().crumbs(), "stack"] if self.opened else super().crumbs()

    def detail(self, width: int) -> Sequence[Line]:
        """Return the stack, then all else that is known of the task."""
        row = self.main.row
        return empty(self.main.note, width) if row is None else task_lines(self.store, row, width)


PANE = Tasks
