"""The list of tasks: every thread as ps(1) shows it, as a list, as a tree, or only those that are blocked.

The tree is an order (a row's rank in it) and a filter (what is not folded away) over the same rows.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from oopscope.report.query import Field
from oopscope_tui.panes.tasks.tree import Tree
from oopscope_tui.settings import keys
from oopscope_tui.widgets.lines import SLICE
from oopscope_tui.widgets.scan import Scan
from oopscope_tui.widgets.table import Col, Table, col

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Task

COLUMNS = (
    col("pid", "PID", "int"),
    col("state", "S", "state"),
    col("comm", "Command", most=24, least=16),
    col("cpu", "CPU", "int", rank=2, names="cpu"),
    col("ppid", "PPID", "int", rank=4, names="task"),
    col("uid", "UID", "int", rank=5),
    col("rss_bytes", "RSS", "bytes", rank=1),
    col("vsz_bytes", "VSZ", "bytes", rank=6),
    col("since_last_run_seconds", "Last ran", "seconds", rank=1),
    col("wait", "Waits in", "symbol", most=32, least=20, rank=1),
)
SINCE = next(column for column in COLUMNS if column.key == "since_last_run_seconds")
DEEPEST = 8  # levels that are indented: names stay in sight


@dataclass(frozen=True, slots=True)
class NameCol(Col):
    """The command, behind its place in the tree."""

    lead: Callable[["Task"], str] = lambda row: ""
    tail: Callable[["Task"], str] = lambda row: ""

    def text(self, row: "Task") -> str:
        """Return the name, indented."""
        return f"{self.lead(row)}{Col.text(self, row)}{self.tail(row)}"


class TaskTable(Table):
    """The list: all or the blocked ones, flat or as a tree."""

    BINDINGS = keys.bindings(keys.TASKS)
    KEYS: ClassVar[tuple[keys.Key, ...]] = (*keys.without(Table.KEYS, keys.TASKS), *keys.TASKS)

    def __init__(self, **more: Any) -> None:
        self.blocked = self.as_tree = False
        self._note = ""
        super().__init__("Tasks", COLUMNS, **more)
        self.family = Tree(())
        self._next: Tree | None = None  # being made
        self._searched: Tree | None = None  # whose rows the search goes through
        self.folded: set[int] = set()  # row numbers
        self._folded_before: set[int] | None = None  # while a search is typed
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
            words.append("tree" if self._next is None else "making the tree")
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
        self._next = None
        if in_tree:
            self._plan()
        else:
            self.view.sort(column.value if column is not None else None, descending)
            self._narrow()

    def _plan(self) -> None:
        """Make the tree of what is there now; what shows stays until it is made."""
        waiting, self._next = self._next is not None, Tree(self.view.rows)
        if not waiting:
            self._plan_on()

    def _plan_on(self) -> None:
        if self._next is None:
            return
        if self._next.work():
            self.set_timer(SLICE, self._plan_on)
            return
        self.family, self._next = self._next, None
        self.set_columns(self.columns)  # names grow: measure them anew
        self.view.sort(self._rank)
        self._hide()
        self._narrow()

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

    def fields(self) -> list[Field]:
        """Return what a filter can ask for: more than there are columns."""
        more = [Field(key, key, kind, attrgetter(key)) for key, kind in (("kernel_thread", "bool"), ("tgid", "int"))]
        return [*super().fields(), *more]

    def set_filter(self, text: str) -> None:
        """Show only rows that pass."""
        self._choose_also(text)
        super().set_filter(text)

    def select(self, row_id: int) -> None:
        """Put the cursor on a row, and show what hides it."""
        if self.blocked and self.view.rows[row_id].state != "D":
            self.action_blocked()
        self._reveal(row_id)
        super().select(row_id)

    def grown(self, done: bool) -> None:
        """Take in rows appended to the list; the tree is made anew when it has doubled, and at the end."""
        count, planned = len(self.view.rows), len((self._next or self.family).rows)
        if self.as_tree and not self.blocked and count > planned and (done or count >= 2 * planned):
            self._plan()
        else:
            self.grew()

    def set_rows(self, rows: Sequence["Task"]) -> None:
        """Show another list."""
        self.folded.clear()
        self._hidden.clear()
        self.family, self._next = Tree(()), None
        super().set_rows(rows)
        if self.as_tree:
            self._arrange(self.sorted_by, self.view.descending)

    # The tree.

    def _rank(self, row: "Task") -> int | None:
        at = self.family.number.get(id(row))
        return None if at is None else self.family.rank[at]

    def _lead(self, row: "Task") -> str:
        at = self.family.number.get(id(row))
        if at is None:
            return ""
        sign = "" if not self.family.size[at] else "+ " if at in self.folded else "- "
        return "  " * (min(self.family.depth[at], DEEPEST) + (not sign)) + sign

    def _tail(self, row: "Task") -> str:
        at = self.family.number.get(id(row))
        return f" ({self.family.size[at]:,} under it)" if at is not None and at in self.folded else ""

    def _reveal(self, row_id: int) -> None:
        """Unfold what a row stands under."""
        if self.as_tree and row_id in self._hidden:
            self.folded = {at for at in self.folded if row_id not in self.family.below(at)}
            self._hide()
            self._narrow()

    # A search goes through what is folded, too, and unfolds what it finds.

    def search(self, text: str, origin: int | None = None) -> None:
        """Search; what was unfolded for a text that is still being typed is folded again."""
        before = self._folded_before
        if before is not None and self.as_tree and before != self.folded:
            self.folded = set(before)
            self._hide()
            self._narrow()
        self._folded_before = set(self.folded) if origin is not None else None
        super().search(text, origin)

    @property
    def _whole(self) -> bool:
        """Whether the search goes through the whole tree: a filter's rows are all in view."""
        return self.as_tree and not self.blocked and not self.filter_text and len(self.family.order) > 0

    def spots(self) -> int:
        """Return how many rows a search looks at."""
        return len(self.family.order) if self._whole else super().spots()

    def spot_row(self, spot: int) -> "Task":
        """Return a row that a search looks at."""
        return self.family.rows[self.family.order[spot]] if self._whole else super().spot_row(spot)

    def spot_of(self, position: int) -> int:
        """Return a row's rank in the tree; rows that came after it was made are at its end."""
        if not self._whole or position >= len(self.view):
            return super().spot_of(position)
        row_id, rank = self.view.row_id(position), self.family.rank
        return rank[row_id] if row_id < len(rank) else len(rank)

    def to_spot(self, spot: int) -> None:
        """Put the cursor on a row, and unfold what it stands under."""
        if not self._whole:
            super().to_spot(spot)
            return
        row_id = self.family.order[spot]
        self._reveal(row_id)
        position = None if self.view.behind else self.view.position(row_id)
        if position is not None:
            super().to_spot(position)
        else:
            self.select(row_id)

    def _new_scan(self, pattern: re.Pattern[str], origin: int) -> Scan:
        self._searched = self.family if self._whole else None
        return super()._new_scan(pattern, origin)

    def _rescan(self) -> None:
        if not self._whole or self._searched is not self.family:  # folding changes nothing
            super()._rescan()

    def _here(self) -> int | None:
        """The selected row's number where the tree shows."""
        in_tree = self.as_tree and not self.blocked and len(self.view) > 0
        at = self.view.row_id(self.cursor) if in_tree else None
        return at if at is not None and at < len(self.family.rows) else None

    def _fold(self, at: int, fold: bool) -> None:
        self._folded_before = None
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
