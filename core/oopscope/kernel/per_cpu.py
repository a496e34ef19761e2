"""Whose per-CPU area an address lies in, and which variable of it."""

from typing import NamedTuple

from oopscope.kernel.kernel import Kernel, per_cpu_offsets

MAX_UNIT = 64 << 20  # bytes of one CPU's area
DYNAMIC = 28 << 10  # PERCPU_DYNAMIC_RESERVE, behind the static variables and those of modules


class PerCpu(NamedTuple):
    """An address in a CPU's area: whose, and the address that its symbol has."""

    cpu: int
    symbol: int
    static: bool  # False: beyond the variables that symbols name


def per_cpu_of(kernel: Kernel, address: int) -> PerCpu | None:
    """Return the CPU's area that an address lies in; None for none."""
    start, end = kernel.find_symbol("__per_cpu_start"), kernel.find_symbol("__per_cpu_end")
    if start is None or end is None or not start < end <= start + MAX_UNIT:
        return None
    size = end - start + DYNAMIC  # what is left of the CPU's first unit beyond that is given to others
    for cpu, offset in enumerate(kernel.cached(per_cpu_offsets)):
        past = (address - start - offset) % kernel.memory.top
        if past < size:
            return PerCpu(cpu, start + past, past < end - start)
    return None


def per_cpu_name(kernel: Kernel, found: PerCpu) -> tuple[str, int] | None:
    """Return the variable that an address in a CPU's area lies in, and how far; None for what has no name."""
    look = kernel.symbols.name_at if found.symbol >= kernel.symbols.tables.start else kernel.symbols.variable_at
    return look(found.symbol) if found.static else None
