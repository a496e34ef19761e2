"""Which task stands under which: threads under their process, processes under their parent."""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Task

KTHREADD = 2
STEP = 256  # rows taken between two looks at the clock


class Tree:
    """Which row stands under which: threads under their process, processes under their parent; call `work` first.

    A dump may hold loops and PIDs twice; each row stands in the tree once, whatever its PIDs say.
    """

    def __init__(self, rows: Sequence["Task"]) -> None:
        self.rows = list(rows)
        count = len(self.rows)
        self.number: dict[int, int] = {}  # by the row's identity
        self.parent: list[int | None] = [None] * count
        self.order: list[int] = []
        self.rank = [-1] * count
        self.depth = [0] * count
        self.size = [0] * count  # rows anywhere under it
        self._leaders: dict[int, int] = {}  # rows by PID
        self._under: dict[int, list[int]] = {}
        self._steps = self._build()

    def work(self, budget: float = 0.008) -> bool:
        """Build for about `budget` seconds; return whether more is left."""
        until = perf_counter() + budget
        return any(perf_counter() > until for _ in self._steps)

    def _build(self) -> Iterator[None]:
        """Build STEP rows' worth between two yields."""
        for at, row in enumerate(self.rows):
            self.number[id(row)] = at
            if row.pid and row.pid == row.tgid:
                self._leaders.setdefault(row.pid, at)
            if at % STEP == 0:
                yield
        roots: list[int] = []
        for at, row in enumerate(self.rows):
            parent = self._parent(at, row)
            if parent is None:
                roots.append(at)
            else:
                self._under.setdefault(parent, []).append(at)
            if at % STEP == 0:
                yield
        yield from self._walk([*roots, *range(len(self.rows))])  # all: no root leads to a loop
        for at in reversed(self.order):
            above = self.parent[at]
            if above is not None:
                self.size[above] += self.size[at] + 1
            if at % STEP == 0:
                yield

    def _parent(self, at: int, row: "Task") -> int | None:
        if not row.pid:
            return None
        pid = row.tgid if row.tgid and row.pid != row.tgid else row.ppid
        if pid is None and row.kernel_thread and row.pid != KTHREADD:
            pid = KTHREADD
        found = self._leaders.get(pid) if pid else None
        return found if found != at else None

    def _walk(self, roots: Sequence[int]) -> Iterator[None]:
        rank, depth, order, under = self.rank, self.depth, self.order, self._under
        for root in roots:
            waiting = [root]
            while waiting:
                at = waiting.pop()
                if rank[at] >= 0:
                    continue
                rank[at] = len(order)
                order.append(at)
                if len(order) % STEP == 0:
                    yield
                for child in reversed(under.get(at, ())):
                    if rank[child] < 0:
                        self.parent[child], depth[child] = at, depth[at] + 1
                        waiting.append(child)

    def below(self, at: int) -> Sequence[int]:
        """Return the rows under a row."""
        return self.order[self.rank[at] + 1 : self.rank[at] + 1 + self.size[at]]
