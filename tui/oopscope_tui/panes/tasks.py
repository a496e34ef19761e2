"""Tasks: every thread as ps(1) shows it, as a list, as a tree, or only those that are blocked; Enter opens its stack.

The tree is an order (a row's rank in it) and a filter (what is not folded away) over the same rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.style import Style

from oopscope_tui import keys, theme
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_lines, stack_lines
from oopscope_tui.places import Place
from oopscope_tui.text import clean, plural
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Col, Table, col
from oopscope_tui.widgets.textview import BLANK, Line, heading, line

STATES = {
    "R": "running or runnable", "S": "sleeping", "D": "blocked", "I": "idle kernel thread",
    "T": "stopped", "t": "traced", "Z": "zombie", "X": "dead", "P": "parked", "N": "new",
}  # fmt: skip
COLUMNS = (
    col("pid", "PID", "int"),
    col("state", "S", "state"),
    col("comm", "Command", most=24, least=16),
    col("cpu", "CPU", "int", rank=2),
    col("ppid", "PPID", "int", rank=4),
    col("uid", "UID", "int", rank=5),
    col("rss_bytes", "RSS", "bytes", rank=1),
    col("vsz_bytes", "VSZ", "bytes", rank=6),
    col("since_last_run_seconds", "Last ran", "seconds", rank=1),
    col("wait", "Waits in", "symbol", most=32, least=20, rank=1),
)
MORE = (col("tgid", "Thread group", "int"), col("address", "task_struct", "address"))
SINCE = next(column for column in COLUMNS if column.key == "since_last_run_seconds")
KTHREADD = 2
DEEPEST = 8  # levels that are indented: names stay in sight


@dataclass(frozen=True, slots=True)
class NameCol(Col):
    """The command, behind its place in the tree."""

    lead: Callable[[Any], str] = lambda row: ""
    tail: Callable[[Any], str] = lambda row: ""

    def text(self, row: Any) -> str:
        """Return the name, indented."""
        return f"{self.lead(row)}{Col.text(self, row)}{self.tail(row)}"


class Tree:
    """Which row stands under which: threads under their process, processes under their parent.

    A dump may hold loops and PIDs twice; each row stands in the tree once, whatever its PIDs say.
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = list(rows)
        self.number = {id(row): at for at, row in enumerate(self.rows)}
        parents = self._parents()
        under: dict[int, list[int]] = {}
        for at, parent in enumerate(parents):
            if parent is not None:
                under.setdefault(parent, []).append(at)
        self.parent: list[int | None] = [None] * len(parents)
        self.order: list[int] = []
        self.rank = [-1] * len(parents)
        self.depth = [0] * len(parents)
        self.size = [0] * len(parents)  # rows anywhere under it
        roots = [at for at, parent in enumerate(parents) if parent is None]
        for at in (*roots, *range(len(parents))):  # all: no root leads to a loop
            self._walk(at, under)
        for at in reversed(self.order):
            above = self.parent[at]
            if above is not None:
                self.size[above] += self.size[at] + 1

    def _parents(self) -> list[int | None]:
        leaders: dict[int, int] = {}
        for at, row in enumerate(self.rows):
            if row.pid and row.pid == row.tgid:
                leaders.setdefault(row.pid, at)
        return [self._parent(at, row, leaders) for at, row in enumerate(self.rows)]

    @staticmethod
    def _parent(at: int, row: Any, leaders: dict[int, int]) -> int | None:
        if not row.pid:
            return None
        pid = row.tgid if row.tgid and row.pid != row.tgid else row.ppid
        if pid is None and row.kernel_thread and row.pid != KTHREADD:
            pid = KTHREADD
        found = leaders.get(pid) if pid else None
        return found if found != at else None

    def _walk(self, root: int, under: dict[int, list[int]]) -> None:
        waiting = [(root, 0)]
        while waiting:
            at, depth = waiting.pop()
            if self.rank[at] >= 0:
                continue
            self.rank[at], self.depth[at] = len(self.order), depth
            self.order.append(at)
            for child in reversed(under.get(at, ())):
                if self.rank[child] < 0:
                    self.parent[child] = at
                    waiting.append((child, depth + 1))

    def below(self, at: int) -> Sequence[int]:
        """Return the rows under a row."""
        return self.order[self.rank[at] + 1 : self.rank[at] + 1 + self.size[at]]


class TaskTable(Table):
    """The list: all or the blocked ones, flat or as a tree."""

    BINDINGS = keys.bindings(keys.TASKS)
    KEYS: ClassVar[tuple[keys.Key, ...]] = (
        *(key._replace(shown=key.shown.removeprefix("Space ")) for key in Table.KEYS),
        *keys.TASKS,
    )

    def __init__(self, **more: Any) -> None:
        self.blocked = self.as_tree = False
        self._note = ""
        super().__init__("Tasks", COLUMNS, **more)
        self.family = Tree(())
        self.folded: set[int] = set()  # row numbers
        self._hidden: set[int] = set()
        self._sort_before: tuple[Col | None, bool] = (None, False)
        self._tree_columns = tuple(
            NameCol("comm", column.title, most=36, least=24, value=column.value, lead=self._lead, tail=self._tail)
            if column.key == "comm"
            else column
            for column in COLUMNS
        )

    def caption(self) -> str:
        """Return the title with what is shown of the tasks."""
        words = [super().caption()]
        if self.blocked:
            words.append("blocked only")
        elif self.as_tree:
            words.append("tree")
        return " · ".join(words)

    @property
    def note(self) -> str:
        """What stands in place of rows."""
        return "no task is blocked: D shows all" if self.blocked and len(self.view.rows) else self._note

    @note.setter
    def note(self, text: str) -> None:
        self._note = text

    # What is shown.

    def action_blocked(self) -> None:
        """Show the blocked tasks, longest first, or again what was shown before."""
        self.blocked = not self.blocked
        if self.blocked:
            self._sort_before = (self.sorted_by, self.view.descending)
        self._arrange(*((SINCE, True) if self.blocked else self._sort_before))

    def action_tree(self) -> None:
        """Show the tree, or the list."""
        self.as_tree = self.blocked or not self.as_tree
        self.blocked = False
        self._arrange(None, False)

    def sort_by(self, column: Col | None, descending: bool | None = None) -> None:
        """Sort by a column, which no tree is."""
        if self.as_tree and not self.blocked:
            self.as_tree = False
            column = next((one for one in COLUMNS if column is not None and one.key == column.key), None)
            down = descending if descending is not None else bool(column and column.down)
            self._arrange(column, down)
        else:
            super().sort_by(column, descending)

    def _arrange(self, column: Col | None, descending: bool) -> None:
        """Show the rows anew; the cursor stays on its row."""
        if len(self.view):
            self.current, self.touched = self.view.row_id(self.cursor), True
        in_tree = self.as_tree and not self.blocked
        self.set_columns(self._tree_columns if in_tree else COLUMNS)
        self.sorted_by = column
        if in_tree:
            self._plan()
        else:
            self.view.sort(column.value if column is not None else None, descending)
        self._narrow()

    def _plan(self) -> None:
        self.family = Tree(self.view.rows)
        self.view.sort(self._rank)
        self._hide()

    def _hide(self) -> None:
        self._hidden = {under for at in self.folded if at < len(self.family.rows) for under in self.family.below(at)}

    def _narrow(self) -> None:
        """Filter for what is asked: a filter's words look into what is folded too."""
        self._choose_also(self.filter_text)
        super().set_filter(self.filter_text)

    def _choose_also(self, text: str) -> None:
        if self.blocked:
            self.also = lambda row: row.state == "D"
        elif self.as_tree and self._hidden and not text.strip():
            number, hidden = self.family.number, self._hidden
            self.also = lambda row: number.get(id(row)) not in hidden
        else:
            self.also = None

    def set_filter(self, text: str) -> None:
        """Show only rows that pass."""
        self._choose_also(text)
        super().set_filter(text)

    def select(self, row_id: int) -> None:
        """Put the cursor on a row, and show what hides it."""
        if self.blocked and self.view.rows[row_id].state != "D":
            self.action_blocked()
        if self.as_tree and row_id in self._hidden:
            self.folded = {at for at in self.folded if row_id not in self.family.below(at)}
            self._hide()
            self._narrow()
        while self.view.work():
            pass
        if self.view.position(row_id) is None:
            self.set_filter("")
            while self.view.work():
                pass
        super().select(row_id)

    def grown(self, done: bool) -> None:
        """Take in rows appended to the list; the tree is made anew when it has doubled, and at the end."""
        count, planned = len(self.view.rows), len(self.family.rows)
        if self.as_tree and not self.blocked and count > planned and (done or count >= 2 * planned):
            self._plan()
            self._narrow()
        else:
            self.grew()

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show another list."""
        self.folded.clear()
        self._hidden.clear()
        super().set_rows(rows)
        if self.as_tree:
            self._arrange(self.sorted_by, self.view.descending)

    def _settle(self) -> None:
        """Find the selected row again, also after a moment in which no row showed."""
        if self.touched and self.current is not None and not len(self.view):
            self.cursor = self.top = 0
            self.refresh()
            if not self.view.behind:
                self.post_message(self.Moved(self))
        else:
            super()._settle()

    # The tree.

    def _rank(self, row: Any) -> int | None:
        at = self.family.number.get(id(row))
        return None if at is None else self.family.rank[at]

    def _lead(self, row: Any) -> str:
        at = self.family.number.get(id(row))
        if at is None:
            return ""
        sign = "" if not self.family.size[at] else "+ " if at in self.folded else "- "
        return "  " * (min(self.family.depth[at], DEEPEST) + (not sign)) + sign

    def _tail(self, row: Any) -> str:
        at = self.family.number.get(id(row))
        return f" ({self.family.size[at]:,} under it)" if at is not None and at in self.folded else ""

    def _here(self) -> int | None:
        """The selected row's number where the tree shows."""
        in_tree = self.as_tree and not self.blocked and len(self.view) > 0
        at = self.view.row_id(self.cursor) if in_tree else None
        return at if at is not None and at < len(self.family.rows) else None

    def _fold(self, at: int, fold: bool) -> None:
        (self.folded.add if fold else self.folded.discard)(at)
        self._hide()
        self.current, self.touched = at, True
        self.set_columns(self.columns)  # names grow and shrink: measure them anew
        self._narrow()

    def action_fold_or_page(self) -> None:
        """Fold or unfold what is under the row; go down a page where no tree is."""
        at = self._here()
        if at is None:
            self.action_page(1)
        elif self.family.size[at]:
            self._fold(at, at not in self.folded)

    def action_fold(self) -> None:
        """Fold what is under the row; where there is nothing, or it is folded, what is under its parent."""
        at = self._here()
        if at is not None and (not self.family.size[at] or at in self.folded):
            at = self.family.parent[at]
        if at is not None:
            self._fold(at, True)

    def action_unfold(self) -> None:
        """Unfold what is under the row."""
        at = self._here()
        if at is not None and at in self.folded:
            self._fold(at, False)


class Tasks(Pane):
    """The list and the selected task's stack."""

    needs = ("tasks", "cpus")

    def make_main(self) -> Lines:
        """Return the list."""
        table = TaskTable(id="main-tasks")
        table.row_style = self._style
        self._shown_culprit = False
        return table

    def _style(self, row: Any) -> Style | None:
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

    def row_key(self, row: Any) -> int | str | None:
        """Return the PID."""
        pid: int | None = row.pid
        return pid

    def row_of(self, key: int | str) -> int | None:
        """Return the task of a PID; several idle tasks have PID 0, and a name finds the first of it."""
        for at, row in enumerate(self.main.view.rows):
            if key in (row.pid, row.comm):
                return at
        return None

    def followed(self) -> None:
        """Ask for the stack of the selected task."""
        row = self.main.row
        if row is not None and self.side is not None and self.side.display:
            self.scope.want_stack(row.address)

    def place_views(self) -> None:
        """Place the views, and ask for the stack that came into view."""
        super().place_views()
        self.followed()

    def notes(self) -> list[str]:
        """Return counts by state."""
        rows = self.store.feed("tasks").rows
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
        """Return the stack, then the fields."""
        row = self.main.row
        if row is None:
            return empty(self.main.note, width)
        state = STATES.get(row.state, "")
        kind = "kernel thread" if row.kernel_thread else "process" if row.pid == row.tgid else "thread"
        on = f" on CPU {row.cpu}" if row.cpu is not None else ""
        lines = [
            line(
                " ", (f"{row.state or '-'} {state}{on}", theme.DOUBT if row.state == "D" else theme.PLAIN), f" · {kind}"
            )
        ]
        lines += [BLANK, heading(" Stack"), *self._stack(row, width)]
        return [*lines, BLANK, heading(" Task"), *field_lines((*COLUMNS, *MORE), row, width, ("state", "comm", "cpu"))]

    def _stack(self, row: Any, width: int) -> list[Line]:
        stack = self.store.stacks.get(row.address)
        if stack is None:
            return empty("reading", width)
        verdict = self.store.verdict
        culprit = verdict.symbol if verdict is not None and verdict.pid == row.pid else None
        lines = stack_lines(stack.frames, width, culprit)
        if stack.why:
            lines += [line("  ! ", (stack.why, theme.DOUBT))]
        return lines or empty("no frames: a task that only runs user code, or nothing saved", width)


PANE = Tasks
