"""Pressure stall information: how much time tasks lost for want of CPU, memory, I/O, as /proc/pressure has it.

Follows kernel/sched/psi.c and include/linux/psi_types.h. Averages are fixed-point numbers that are brought up to date
every two seconds while something stalls; a share of more than all of the time is none.
"""

from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.cgroup import UNIFIED, cgroups
from oopscope.linux.static_key import is_on
from oopscope.structs.plan import Plan

ONE = 1 << 11  # FIXED_1
SPANS = 3  # of 10, 60 and 300 seconds
MAX_GROUPS = 20_000
KINDS = (("CPU", "cpu"), ("MEM", "memory"), ("IO", "io"), ("IRQ", "irq"))


class GroupStruct(NamedTuple):
    """struct psi_group: averages by state and span, and sums in ns by what they are for and state."""

    avg: tuple[int, ...]
    total: tuple[int, ...]


GROUP = Plan("psi_group", GroupStruct)


class Pressure(NamedTuple):
    """A line of /proc/pressure/* or of a control group's *.pressure; averages in percent."""

    group: str  # a control group's path; empty for the whole machine
    resource: str
    kind: str  # some, full
    avg10: float
    avg60: float
    avg300: float
    total_seconds: float
    address: int


def _rows(kernel: Kernel, address: int, group: str, states: dict[str, int]) -> list[Pressure]:
    row, found = kernel.bind(GROUP).row(address), list[Pressure]()
    for name, resource in KINDS:
        for kind in ("some", "full"):
            state = states.get(f"PSI_{name}_{kind.upper()}")
            if state is None or (state + 1) * SPANS > len(row.avg) or state >= len(row.total):
                continue
            spans = row.avg[state * SPANS : (state + 1) * SPANS]
            if max(spans) > 100 * ONE + ONE:
                raise Implausible("a share of time that is more than all of it", address)
            ten, minute, five = (round(one / ONE, 2) for one in spans)
            found.append(Pressure(group, resource, kind, ten, minute, five, row.total[state] / 1e9, address))
    return found


@once
def pressures(kernel: Kernel) -> list[Pressure]:
    """Return the pressure on the machine and on each control group; none where the kernel did not measure it."""
    top = kernel.find_symbol("psi_system")
    if top is None or is_on(kernel, "psi_disabled"):
        return []
    states, lost = kernel.types.enum("psi_states"), kernel.problems.lost("pressure", "the pressure on a group")
    found = _rows(kernel, top, "", states)
    if not kernel.types.has_member("cgroup", "psi"):
        return found
    member = kernel.types.member("cgroup", "psi")
    groups = [row for row in kernel.cached(cgroups) if row.hierarchy == UNIFIED and row.path != "/"]
    for row in groups[:MAX_GROUPS]:
        try:
            # A pointer since 6.1, the group itself before.
            at = row.address + member.offset
            at = kernel.memory.word(at) if member.kind == "ptr" else at
            found += _rows(kernel, at, row.path, states) if at else ()
        except OopscopeError as e:
            lost(e)
    return found
