"""The scheduler's run queue of each CPU: what ran, and the clock that everything is timed by.

Follows kernel/sched/sched.h. rq.curr is the running task; it agrees with the per-CPU current_task.
"""

from typing import NamedTuple

from oopscope.errors import NoSymbol, NoTypes, OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.structs.plan import Plan


class RunQueue(NamedTuple):
    """struct rq of one CPU."""

    address: int
    nr_running: int
    curr: int
    idle: int
    stop: int | None  # not on a uniprocessor kernel
    clock: int


RQ = Plan("rq", RunQueue)


class CpuQueue(NamedTuple):
    """A CPU's number and its run queue."""

    cpu: int
    nr_running: int
    curr: int
    idle: int
    stop: int
    clock: int


def runqueues(kernel: Kernel) -> list[CpuQueue]:
    """Return the run queue of every present CPU that can be read."""
    found = []
    try:
        base, bound = kernel.symbol("runqueues"), kernel.bind(RQ)
    except (NoTypes, NoSymbol):
        return [CpuQueue(cpu, 0, current, 0, 0, 0) for cpu, current in _currents(kernel)]
    for cpu in present_cpus(kernel):
        try:
            row = bound.row(kernel.per_cpu(base, cpu))
            found.append(CpuQueue(cpu, row.nr_running, row.curr, row.idle, row.stop or 0, row.clock))
        except (OopscopeError, IndexError) as e:
            kernel.problems.add("cpus", f"run queue of CPU {cpu}: {e}")
    return found


def last_accounted(kernel: Kernel, task: int) -> int | None:
    """Return when a task's run time was last added up, by rq.clock: as it went to sleep; None where that is not told.

    For kernels without CONFIG_SCHED_INFO. Those that take the time of interrupts or of the hypervisor out of a task's
    have another clock for it (rq.clock_task).
    """
    types = kernel.types
    if not types.has_member("task_struct", "se.exec_start"):
        return None
    if types.has_member("rq", "prev_irq_time") or types.has_member("rq", "prev_steal_time_rq"):
        return None
    at = task + types.member("task_struct", "se.exec_start").offset
    return int.from_bytes(kernel.memory.read(at, 8), kernel.arch.byteorder) or None


def _currents(kernel: Kernel) -> list[tuple[int, int]]:
    """Return (CPU, task) by the per-CPU pointer to what runs: current_task, or pcpu_hot's first word (6.2 .. 6.14)."""
    symbol, found = kernel.find_symbol("current_task"), []
    if symbol is None:
        symbol = kernel.find_symbol("pcpu_hot")
    if symbol is None:
        return []
    for cpu in present_cpus(kernel):
        try:
            found.append((cpu, kernel.memory.word(kernel.per_cpu(symbol, cpu))))
        except (OopscopeError, IndexError) as e:
            kernel.problems.add("cpus", f"what CPU {cpu} ran: {e}")
    return found
