"""The card of the tasks' states: how many there are of each."""

from collections import Counter
from typing import NamedTuple

from oopscope.kernel.kernel import Kernel
from oopscope.stacks.tasks import all_tasks
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Part, Rows


class Counted(NamedTuple):
    """A state, and how many threads are in it."""

    state: str | None  # the letter of ps(1); None where it cannot be read
    threads: int
    kernel_threads: int


def _rows(kernel: Kernel, _thing: str) -> Rows:
    tasks = all_tasks(kernel)
    own = Counter(task.state for task in tasks if task.kernel_thread)
    counts = Counter(task.state for task in tasks).most_common()
    rows = [Counted(state, count, own[state]) for state, count in counts]
    columns = (
        Column("state", "State", "state"), Column("threads", "Threads", "int"),
        Column("kernel_threads", "of the kernel", "int"),
    )  # fmt: skip
    return Rows("", "", columns, rows)


CARD = CardKind("states", "States", lambda _kernel, _key: "of tasks", str, (Part("states", "States", _rows),))
