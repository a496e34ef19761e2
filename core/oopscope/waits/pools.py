"""Why no worker has begun a piece of work: its workqueue's turn, a worker that runs, no worker that is free.

Follows kernel/workqueue.c. A work that is queued names its pool_workqueue; it hangs in that one's inactive works while
as many as may be are active, else in its pool's worklist. A pool of one CPU begins no work while a worker of it runs.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_list
from oopscope.linux.sched import runqueues
from oopscope.linux.task import task_structs
from oopscope.linux.workqueue import POOL, PWQ_PLAN, WORK, PoolStruct, Pwq
from oopscope.waits.graph import Claim, Node
from oopscope.waits.nodes import task_node
from oopscope.waits.workers import Worker, workers

PENDING, PWQ = 1, 4  # WORK_STRUCT_PENDING, and that the rest of work_struct.data is a pool_workqueue
CPU_INTENSIVE = 1 << 6  # WORKER_CPU_INTENSIVE
MAX_WORKS = 1 << 16


class Why(NamedTuple):
    """Who keeps a work from being begun, by which evidence; a note where it is nobody in particular."""

    tasks: tuple[int, ...]
    text: str
    note: str
    any: bool = False


def why_not_begun(kernel: Kernel, work: int) -> Why | None:
    """Return why a queued work is not begun; None where it is not queued, or cannot be read."""
    try:
        pwq = _pwq(kernel, work)
        pool = kernel.bind(POOL).row(pwq.pool) if pwq is not None else None
        if pwq is None or pool is None:
            return None
        entry = kernel.bind(WORK).offset("entry")
        if work in for_each_list(kernel.memory, pwq.inactive, entry, lambda _error: None, MAX_WORKS):
            return _turn(kernel, pwq)
        if work in for_each_list(kernel.memory, pool.worklist, entry, lambda _error: None, MAX_WORKS):
            return _in_pool(kernel, pool)
    except OopscopeError as error:
        kernel.problems.lost("waits", f"why the work {work:#x} is not begun")(error)
    return None


def _pwq(kernel: Kernel, work: int) -> Pwq | None:
    types, row = kernel.types, kernel.bind(WORK).row(work)
    bits = types.constant("WORK_STRUCT_PWQ_SHIFT") or types.constant("WORK_STRUCT_FLAG_BITS") or 8
    if not row.data & PENDING or not row.data & PWQ:
        return None
    return kernel.bind(PWQ_PLAN).row(row.data & -1 << bits & (1 << 8 * kernel.memory.word_size) - 1)


def _turn(kernel: Kernel, pwq: Pwq) -> Why:
    tasks = tuple(worker.task for worker in workers(kernel) if worker.pwq == pwq.address)
    text = "its workqueue lets no more works be active, and it does one of them"
    return Why(tasks, text, "" if tasks else "it waits for its workqueue's turn", len(tasks) > 1)


def _in_pool(kernel: Kernel, pool: PoolStruct) -> Why:
    mine = [worker for worker in workers(kernel) if worker.pool == pool.address]
    busy = [worker for worker in mine if worker.current_work]
    running = [one for one in busy if _runs(kernel, one) and not one.flags & CPU_INTENSIVE]
    if pool.running and pool.cpu >= 0 and running:
        text = "it runs, and a pool of one CPU begins no other work while one of its workers does"
        return Why(tuple(one.task for one in running), text, "")
    if pool.nr_idle:
        current = next((queue for queue in kernel.cached(runqueues) if queue.cpu == pool.cpu), None)
        if current is not None and current.curr and current.curr != current.idle:
            text = f"it has CPU {pool.cpu}, on which an idle worker is to begin it"
            return Why((current.curr,), text, "")
        return Why((), "", "an idle worker is to begin it")
    text = f"none of the pool's {len(busy)} workers is free, and it is one of them"
    return Why(tuple(one.task for one in busy), text, "" if busy else "its pool has no worker", len(busy) > 1)


def _runs(kernel: Kernel, worker: Worker) -> bool:
    task = kernel.cached(task_structs).get(worker.task)
    return task is not None and not task.state


def held_up(kernel: Kernel, work: int, node: Node) -> tuple[Node, Iterator[Claim]]:
    """Return the node of a work that no worker has begun, and who keeps it from that."""
    why = why_not_begun(kernel, work)
    if why is None:
        return node, iter(())
    node = node._replace(note=why.note or node.note, any=why.any)
    return node, (Claim(node, task_node(kernel, task), "held_by", "recorded", None, why.text) for task in why.tasks)
