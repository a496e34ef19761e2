"""Tasks that are frozen, and by which control group, or by a suspend of the whole machine.

Follows kernel/cgroup/{freezer,legacy_freezer}.c and kernel/freezer.c. In v2 a group's freezer.e_freeze counts how often
it and those above it are frozen; in v1 a freezer's state has a bit for itself. Which process froze it nothing records.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.cgroup import cgroups
from oopscope.waits.graph import Claim, Node
from oopscope.waits.nodes import task_node
from oopscope.waits.offsets import offset, offsets
from oopscope.waits.sleepers import Sleeper, sleepers

FREEZING_SELF = 2  # CGROUP_FREEZING_SELF
TRAP = 1 << 23  # JOBCTL_TRAP_FREEZE: to be frozen by v2
TASK_FROZEN = 0x8000  # f5d39b020809 "freezer,sched: Rewrite core freezer logic", 6.1
PF_FROZEN = 0x10000  # before
MAX_DEPTH = 64
LEGACY, UNIFIED = "__refrigerator", ("do_freezer_trap", "get_signal")


class Froze(NamedTuple):
    """The group that keeps tasks frozen, and how that is known."""

    group: int
    text: str


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who is frozen."""
    known: dict[tuple[int, bool], Froze | None] = {}
    groups = offset(kernel, "task_struct", "cgroups")
    if groups is None:
        return
    for one in sleepers(kernel):
        if not (one.task.jobctl or 0) & TRAP and not one.task.state & TASK_FROZEN and not one.task.flags & PF_FROZEN:
            continue
        try:
            found = _of(kernel, one, kernel.memory.word(one.address + groups), known)
        except OopscopeError as error:
            kernel.problems.lost("waits", f"what freezes {one.pid}")(error)
            continue
        if found is not None:
            node, text = found
            yield Claim(task_node(kernel, one.address), node, "waits_for", "recorded", one.since, text)


def _of(
    kernel: Kernel, one: Sleeper, css_set: int, known: dict[tuple[int, bool], Froze | None]
) -> tuple[Node, str] | None:
    """Return by what a task is frozen: first whether its groups are, then whether it stands in the refrigerator."""
    for legacy, look in ((False, _unified), (True, _legacy)):
        key = css_set, legacy
        if key not in known:
            known[key] = look(kernel, css_set)
        froze = known[key]
        if froze is not None and _stands(one, legacy):
            path = next((row.path for row in kernel.cached(cgroups) if row.address == froze.group), f"{froze.group:#x}")
            return Node(
                f"freezer:{froze.group:#x}", "freezer", f"of cgroup {path}", froze.group, None, "frozen"
            ), froze.text
    if _suspends(kernel) and _stands(one, True):
        return Node(
            "freezer:system", "freezer", "of the machine", None, None, "it is being suspended"
        ), "pm_freezing is set"
    return None


def _stands(one: Sleeper, legacy: bool) -> bool:
    """Tell whether a task has been frozen: it stands in the refrigerator, or (6.1) was frozen where it slept."""
    inner = [function for function in one.functions if "schedule" not in function][:2]
    if legacy:
        return bool(one.task.state & TASK_FROZEN) or LEGACY in inner
    return any(function in UNIFIED for function in inner)


def _unified(kernel: Kernel, css_set: int) -> Froze | None:
    group_at, shape = (
        offset(kernel, "css_set", "dfl_cgrp"),
        offsets(kernel, "cgroup", "freezer.e_freeze", "freezer.freeze", "self.parent"),
    )
    if group_at is None or shape is None:
        return None
    memory, group = kernel.memory, kernel.memory.word(css_set + group_at)
    if not memory.read(group + shape[0], 1)[0]:
        return None
    for _ in range(MAX_DEPTH):
        if not group:
            break
        if memory.read(group + shape[1], 1)[0]:
            return Froze(group, "cgroup.freezer.freeze is set, and it stands in the trap of the freezer")
        group = memory.word(group + shape[2])  # the css of the parent, with which its cgroup begins
    return None


def _legacy(kernel: Kernel, css_set: int) -> Froze | None:
    number = kernel.types.enum("cgroup_subsys_id").get("freezer_cgrp_id")
    subsys, state = offset(kernel, "css_set", "subsys"), offset(kernel, "freezer", "state")
    css = offsets(kernel, "cgroup_subsys_state", "parent", "cgroup")
    if number is None or subsys is None or state is None or css is None:
        return None
    memory = kernel.memory
    at = memory.word(css_set + subsys + number * memory.word_size)
    for _ in range(MAX_DEPTH):
        if not at:
            break
        if memory.u32(at + state) & FREEZING_SELF:
            return Froze(memory.word(at + css[1]), "freezer.state of its group is FREEZING, and it has been frozen")
        at = memory.word(at + css[0])
    return None


def _suspends(kernel: Kernel) -> bool:
    symbol = kernel.find_symbol("pm_freezing")
    try:
        return symbol is not None and bool(kernel.memory.read(symbol, 1)[0])
    except OopscopeError:
        return False
