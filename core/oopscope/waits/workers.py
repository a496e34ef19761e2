"""Workers of workqueues, and what each does. Follows kernel/workqueue.c and kernel/kthread.c.

A worker's task names its struct worker through struct kthread (which set_child_tid pointed at up to 5.16); the worker
names its task back.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan
from oopscope.waits.graph import Node
from oopscope.waits.nodes import thing
from oopscope.waits.offsets import offset

PF_WQ_WORKER = 0x20
MAX_QUEUES = 1 << 16


class _Row(NamedTuple):
    """struct worker."""

    address: int
    current_work: int
    current_func: int
    current_pwq: int
    task: int
    pool: int
    flags: int
    colour: int | None


WORKER = Plan("worker", _Row, colour="current_color")  # d812796eb390 "workqueue: Assign a color to barrier work", 5.15


class Worker(NamedTuple):
    """A worker: the work that it does, of which workqueue; zeros for none."""

    address: int
    task: int
    current_work: int
    function: int
    workqueue: int
    colour: int | None
    pwq: int
    pool: int
    flags: int


@once
def workers(kernel: Kernel) -> list[Worker]:
    """Return every worker whose struct names its task back."""
    at, data = offset(kernel, "task_struct", "worker_private", "set_child_tid"), offset(kernel, "kthread", "data")
    wq = offset(kernel, "pool_workqueue", "wq")
    if at is None or data is None or wq is None:
        return []
    memory, bound, found = kernel.memory, kernel.bind(WORKER), []
    for task in kernel.cached(task_structs).values():
        if not task.flags & PF_WQ_WORKER:
            continue
        try:
            row = bound.row(memory.word(memory.word(task.address + at) + data))
            queue = memory.word(row.current_pwq + wq) if row.current_pwq else 0
        except OopscopeError:
            continue
        if row.task == task.address:
            found.append(
                Worker(
                    row.address, row.task, row.current_work, row.current_func, queue, row.colour, row.current_pwq,
                    row.pool, row.flags,
                )
            )  # fmt: skip
    return found


@once
def workqueues(kernel: Kernel) -> list[int]:
    """Return the address of every struct workqueue_struct."""
    link, head = offset(kernel, "workqueue_struct", "list"), kernel.find_symbol("workqueues")
    if link is None or head is None:
        return []
    return list(for_each_list(kernel.memory, head, link, lambda _error: None, MAX_QUEUES))


def work_node(kernel: Kernel, worker: Worker) -> Node:
    """Return the node of what a worker does."""
    named = kernel.name_of(worker.function)
    name = f"{named.symbol}" + (f" [{named.module}]" if named.module else "") if named is not None else "unknown"
    return thing("work", worker.current_work, name)
