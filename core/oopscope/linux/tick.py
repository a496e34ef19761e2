"""When each CPU's next tick is due: of a CPU that takes no interrupt that time is past.

Follows kernel/time/tick-sched.c (tick_cpu_sched). A run queue's clock tells less: another CPU that wakes a task there
brings it up to date.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.structs.plan import Plan


class TickSched(NamedTuple):
    """struct tick_sched of one CPU."""

    due: int  # ns, CLOCK_MONOTONIC


TICK = Plan("tick_sched", TickSched, due="sched_timer.node.expires")


def ticks_due(kernel: Kernel) -> dict[int, int]:
    """Return when the tick of each CPU is due, in ns since boot; nothing for CPUs and kernels where none is to be had.

    A kernel without high resolution timers keeps 0 there, and a CPU without a tick a time far ahead.
    """
    found: dict[int, int] = {}
    try:
        base, bound = kernel.symbol("tick_cpu_sched"), kernel.bind(TICK)
        for cpu in present_cpus(kernel):
            due = bound.row(kernel.per_cpu(base, cpu)).due
            if 0 < due < 1 << 62:
                found[cpu] = due
    except (OopscopeError, IndexError):
        return found
    return found
