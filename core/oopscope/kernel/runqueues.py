"""The scheduler's run queue of each CPU: what ran, and the clock that everything is timed by.

Follows kernel/sched/sched.h. rq.curr is the running task; it agrees with the per-CPU current_task.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.structs.plan import Plan


class RunQueue(NamedTuple):
    """struct rq of one CPU."""

    address: int
    nr_running: int
    curr: int
    idle: int
    stop: int
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
    base, bound, found = kernel.symbol("runqueues"), kernel.bind(RQ), []
    for cpu in present_cpus(kernel):
        try:
            row = bound.row(kernel.per_cpu(base, cpu))
            found.append(CpuQueue(cpu, row.nr_running, row.curr, row.idle, row.stop, row.clock))
        except (OopscopeError, IndexError) as e:
            kernel.problems.add("cpus", f"run queue of CPU {cpu}: {e}")
    return found
