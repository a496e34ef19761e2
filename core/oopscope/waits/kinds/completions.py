"""Completions: of a task's end or parking (kthread_stop, vfork), of a work item or a workqueue, of a grace period.

Follows kernel/{fork,kthread,workqueue}.c and kernel/rcu/update.c. A task's vfork_done names the completion that its end
or its exec completes; kthreads have theirs in struct kthread. flush_work puts a barrier behind the work it waits for;
flush_workqueue is a flusher of the queue. Both stand on the waiter's stack with the completion inside.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.task import PF_KTHREAD, all_tasks_known, task_structs
from oopscope.waits.graph import Claim, Node
from oopscope.waits.kinds.rcu import barrier, grace_period, sleepable_grace_period
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import symbol_name, task_node, thing
from oopscope.waits.offsets import offset, offsets
from oopscope.waits.pools import held_up
from oopscope.waits.sleepers import Sleeper, completion_of, ring, within
from oopscope.waits.workers import Worker, work_node, workers, workqueues

MAX_BARRIERS = 1024  # behind one work


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for a completion of which it is known who completes it."""
    for one in unlocked(kernel):
        completion = completion_of(one) if one.places else None
        if completion is not None:
            try:
                yield from _of(kernel, one, completion)
            except OopscopeError as error:
                kernel.problems.lost("waits", f"what {one.pid} waits to be completed")(error)


def _of(kernel: Kernel, one: Sleeper, completion: int) -> Iterator[Claim]:
    waiter = task_node(kernel, one.address)
    ending = _endings(kernel).get(completion)
    if ending is not None:
        task = task_node(kernel, ending)
        vfork = any("vfork" in function for function in one.functions)
        node = Node(f"end:{task.id}", "vfork" if vfork else "exit", f"of {task.name}", completion)
        yield Claim(waiter, node, "waits_for", "linked", one.since, "its waiter on its own stack leads to a completion")
        yield Claim(node, task, "held_by", "recorded", None, "task_struct.vfork_done is that completion")
    elif (parks := _parkings(kernel).get(completion) if "kthread_park" in one.functions else None) is not None:
        node = Node(f"park:{parks:#x}", "park", f"of {task_node(kernel, parks).name}", completion)
        yield Claim(waiter, node, "waits_for", "linked", one.since, "its waiter on its own stack leads to a completion")
        yield Claim(node, task_node(kernel, parks), "held_by", "recorded", None, "it is kthread.parked of that thread")
    elif found := list(barrier(kernel, one, completion)):
        yield from found
    elif completion in one.stack:
        found = list(_barrier(kernel, one, completion, waiter) or _flusher(kernel, one, completion, waiter))
        yield from found or _rcu(kernel, one, completion, waiter)


@once
def _endings(kernel: Kernel) -> dict[int, int]:
    """Return the tasks by the completions that they complete when they end."""
    tasks = kernel.cached(task_structs)
    return {task.vfork_done: address for address, task in tasks.items() if task.vfork_done}


@once
def _parkings(kernel: Kernel) -> dict[int, int]:
    """Return the kernel threads by the completions that they complete when they park."""
    at, parked = offset(kernel, "task_struct", "worker_private", "set_child_tid"), offset(kernel, "kthread", "parked")
    found = {}
    for address, task in kernel.cached(task_structs).items() if at is not None and parked is not None else ():
        if task.flags & PF_KTHREAD:
            try:
                found[kernel.memory.word(address + (at or 0)) + (parked or 0)] = address
            except OopscopeError:
                continue
    return found


def _barrier(kernel: Kernel, one: Sleeper, completion: int, waiter: Node) -> list[Claim]:
    """flush_work: the barrier hangs in the list of the work that its worker does, or behind work that waits."""
    shape = offsets(kernel, "wq_barrier", "done", "work.func", "work.entry", "task")
    scheduled = offset(kernel, "worker", "scheduled")
    if shape is None or scheduled is None:
        return []
    done, func, entry, task = shape
    barrier, memory = completion - done, kernel.memory
    named = kernel.name_of(memory.word(barrier + func))
    if named is None or named.symbol != "wq_barrier_func" or memory.word(barrier + task) != one.address:
        return []
    nodes = list(ring(kernel, barrier + entry))
    lists = {worker.address + scheduled: worker for worker in workers(kernel)}
    worker = next((lists[node] for node in nodes if node in lists), None)
    if worker is not None and worker.current_work:
        node = work_node(kernel, worker)
        return [
            Claim(waiter, node, "waits_for", "linked", one.since, "its barrier hangs in the list of a worker"),
            Claim(node, task_node(kernel, worker.task), "held_by", "recorded", None, "worker.current_work"),
        ]
    work = _before(kernel, barrier + entry, func - (offset(kernel, "wq_barrier", "work") or 0))
    name = kernel.name_of(memory.word(work + func - (offset(kernel, "wq_barrier", "work") or 0)))
    if name is None or name.offset:
        return []
    note = "no worker has begun it" if all_tasks_known(kernel) else ""
    node, held = held_up(kernel, work, thing("work", work, str(name).replace("+0x0", ""), note))
    return [Claim(waiter, node, "waits_for", "linked", one.since, "its barrier stands behind that work"), *held]


def _before(kernel: Kernel, node: int, func: int) -> int:
    """Return the work that a barrier in a list stands behind: other barriers may be between them."""
    memory, entry = kernel.memory, offset_of_entry(kernel)
    work = 0
    for _ in range(MAX_BARRIERS):
        node = memory.word(node + memory.word_size)
        work = node - entry
        named = kernel.name_of(memory.word(work + func))
        if named is None or named.symbol != "wq_barrier_func":
            break
    return work


def offset_of_entry(kernel: Kernel) -> int:
    """Return where struct work_struct hangs in its list."""
    return offset(kernel, "work_struct", "entry") or 0


def _flusher(kernel: Kernel, one: Sleeper, completion: int, waiter: Node) -> list[Claim]:
    """flush_workqueue: the flusher is the queue's first or in its list; the works of its colour hold it up."""
    shape = offsets(kernel, "wq_flusher", "done", "flush_color", "list")
    queue = offsets(kernel, "workqueue_struct", "first_flusher", "flusher_queue", "name")
    if shape is None or queue is None or not any("flush_workqueue" in f or "drain" in f for f in one.functions):
        return []
    flusher, memory = completion - shape[0], kernel.memory
    colour = memory.s32(flusher + shape[1])
    nodes = {flusher + shape[2], *ring(kernel, flusher + shape[2])}
    for address in workqueues(kernel):
        if memory.word(address + queue[0]) == flusher or address + queue[1] in nodes:
            name = memory.text(address + queue[2], 24)
            node = thing("workqueue", address, name)
            busy = [worker for worker in workers(kernel) if worker.workqueue == address]
            return [
                Claim(waiter, node, "waits_for", "linked", one.since, "its flusher stands in the workqueue"),
                *_busy(kernel, node, busy, colour),
            ]
    return []


def _busy(kernel: Kernel, node: Node, busy: list[Worker], colour: int) -> Iterator[Claim]:
    for worker in busy:
        sure = worker.colour == colour
        text = "its work's colour is that of the flush" if sure else "it does work of that workqueue"
        yield Claim(node, task_node(kernel, worker.task), "held_by", "recorded" if sure else "likely", None, text)


def _rcu(kernel: Kernel, one: Sleeper, completion: int, waiter: Node) -> Iterator[Claim]:
    """Wait for a grace period: by a callback that wakes it up, or (6.10) by its place among those who wait."""
    shape = offsets(kernel, "rcu_synchronize", "completion", "head.func")
    if shape is None:
        return
    named = kernel.name_of(kernel.memory.word(completion - shape[0] + shape[1]))
    wakes = named is not None and named.symbol == "wakeme_after_rcu"
    waits = within(one.functions, ("synchronize_rcu", "__wait_rcu_gp"))
    if not wakes and not waits:
        return
    text = "its rcu_synchronize stands on its own stack"
    if any("srcu" in function for function in one.functions):
        node = sleepable_grace_period(kernel, one)
        yield Claim(waiter, node, "waits_for", "linked" if wakes else "inferred", one.since, text)
        return
    node, holders = grace_period(kernel)
    yield Claim(waiter, node, "waits_for", "linked" if wakes else "inferred", one.since, text)
    yield from holders


__all__ = ["edges", "symbol_name"]
