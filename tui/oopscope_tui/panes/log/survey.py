"""One pass over the log's records as they come in, a slice at a time: what several lookers each note of them."""

from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import LogRow

STEP = 512  # rows between two looks at the clock


class Looker(Protocol):
    """Takes in each row once, in order."""

    def take(self, rows: Sequence["LogRow"], start: int, stop: int) -> None:
        """Look at the rows [start, stop)."""


class Survey:
    """The pass; rows may be appended to the list at any time."""

    def __init__(self, rows: Sequence["LogRow"], lookers: Sequence[Looker]) -> None:
        self.rows, self._lookers = rows, lookers
        self.seen = 0

    @property
    def behind(self) -> bool:
        """Whether there are rows that were not looked at."""
        return self.seen < len(self.rows)

    def work(self, budget: float = 0.008) -> bool:
        """Look on for about `budget` seconds; return whether more is left."""
        until = perf_counter() + budget
        while self.behind:
            stop = min(self.seen + STEP, len(self.rows))
            for looker in self._lookers:
                looker.take(self.rows, self.seen, stop)
            self.seen = stop
            if perf_counter() > until:
                break
        return self.behind
