"""Which task stands under which: threads under their process, processes under their parent."""

from collections.abc import Sequence
from typing import Any

KTHREADD = 2


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
