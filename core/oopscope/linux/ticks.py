"""The timer tick: jiffies, and how many of them a second has.

Follows kernel/time/{jiffies.c,timer.c}. CONFIG_HZ stands nowhere as a number; the clock source `jiffies` of every
kernel holds the length of a tick (TICK_NSEC, shifted), and until 6.13 so does tick_nsec.
"""

from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.structs.plan import Plan

SECOND = 1_000_000_000
MAX_SHIFT = 32


class ClockSource(NamedTuple):
    """struct clocksource: a cycle is mult >> shift nanoseconds."""

    mult: int
    shift: int


CLOCKSOURCE = Plan("clocksource", ClockSource)


@once
def hz(kernel: Kernel) -> int:
    """Return how many ticks a second has (CONFIG_HZ); NoSymbol, Implausible."""
    tick = kernel.find_symbol("tick_nsec")
    if tick is not None:
        length = kernel.memory.word(tick)
    else:
        source = kernel.bind(CLOCKSOURCE).row(kernel.symbol("clocksource_jiffies"))
        length = source.mult >> min(source.shift, MAX_SHIFT)
    if not SECOND // 10_000 <= length <= SECOND // 10:
        raise Implausible(f"a tick of {length} ns")
    return round(SECOND / length)


@once
def jiffies(kernel: Kernel) -> int:
    """Return the ticks since the count began, which it did five minutes before its lower 32 bits end."""
    return kernel.memory.word(kernel.symbol("jiffies_64"))


def seconds_since(kernel: Kernel, then: int) -> float:
    """Return how many seconds ago, by the tick, the count of jiffies was `then`; less than 0 for what is to come."""
    bits = 8 * kernel.memory.word_size
    apart = (jiffies(kernel) - then) % (1 << bits)
    return (apart - (apart >> bits - 1 << bits)) / hz(kernel)


def monotonic(kernel: Kernel) -> int | None:
    """Return the monotonic clock at the last tick, in ns; None where it is not to be had."""
    try:
        return kernel.memory.word(kernel.symbol("tick_next_period")) - round(SECOND / hz(kernel))
    except OopscopeError:
        return None
