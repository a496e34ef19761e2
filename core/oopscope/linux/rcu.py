"""RCU: the grace period that runs, who holds it up, and the callbacks that wait for it.

Follows kernel/rcu/{tree.c,tree.h,tree_plugin.h,tree_stall.h}. A CPU holds a grace period up while its bit is set in the
leaf of the tree; a task while it stands in its leaf's list from gp_tasks on (preemptible RCU only).
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel, cpu_mask
from oopscope.kernel.once import once
from oopscope.linux.irq import ranges
from oopscope.linux.task import task_structs
from oopscope.linux.ticks import seconds_since
from oopscope.structs.plan import Plan

STATE = 3  # RCU_SEQ_STATE_MASK: 0 between two grace periods
MAX_TASKS = 10_000
MAX_NAME = 32
POSSIBLE_MASKS = ("__cpu_possible_mask", "cpu_possible_mask")


class RcuState(NamedTuple):
    """struct rcu_state."""

    gp_seq: int
    gp_start: int
    gp_activity: int
    gp_kthread: int
    name: int


class RcuData(NamedTuple):
    """struct rcu_data of a CPU."""

    cpu: int
    gp_seq: int
    mynode: int
    grpmask: int
    callbacks: int


class RcuNode(NamedTuple):
    """struct rcu_node: a leaf of the tree of CPUs."""

    gp_seq: int
    qsmask: int
    expmask: int
    grplo: int
    grphi: int
    blkd_tasks: int
    gp_tasks: int


STATE_PLAN = Plan("rcu_state", RcuState)
DATA = Plan("rcu_data", RcuData, callbacks=("cblist.len.counter", "cblist.len"))
NODE = Plan("rcu_node", RcuNode, blkd_tasks="&blkd_tasks")


class RcuCpu(NamedTuple):
    """What a CPU has to do with RCU."""

    cpu: int
    holds_up: bool  # the grace period that runs waits for it
    expedited: bool  # so does an expedited one
    callbacks: int  # that wait for a grace period, or to be called
    gp_seq: int  # the last grace period that it knows of


class GracePeriod(NamedTuple):
    """A flavour of RCU, and its grace period."""

    name: str
    running: bool
    age_seconds: float | None  # None: none runs
    number: int
    cpus: str | None  # that it waits for
    tasks: tuple[int, ...]  # that it waits for
    callbacks: int | None  # of all CPUs
    activity_seconds: float | None  # since its thread last did something
    pid: int | None


def _leaf(kernel: Kernel, cpu: int) -> tuple[RcuData, RcuNode]:
    data = kernel.bind(DATA).row(kernel.per_cpu("rcu_data", cpu))
    return data, kernel.bind(NODE).row(data.mynode)


def _tasks(kernel: Kernel, leaf: RcuNode) -> list[int]:
    """Return the PIDs of the tasks that a leaf waits for: from gp_tasks to the end of its list."""
    if not leaf.gp_tasks or not kernel.types.has_member("task_struct", "rcu_node_entry"):
        return []
    link, tasks = kernel.types.member("task_struct", "rcu_node_entry").offset, task_structs(kernel)
    found, node, seen = [], leaf.gp_tasks, set[int]()
    while node != leaf.blkd_tasks and node not in seen and len(seen) < MAX_TASKS:
        seen.add(node)
        task = tasks.get(node - link)
        if task is not None:
            found.append(task.pid)
        node = kernel.memory.word(node)
    return found


@once
def rcu_cpus(kernel: Kernel) -> list[RcuCpu]:
    """Return the possible CPUs; one whose data names another is dropped, and said."""
    running = bool(kernel.bind(STATE_PLAN).row(kernel.symbol("rcu_state")).gp_seq & STATE)
    found = []
    for cpu in cpu_mask(kernel, *POSSIBLE_MASKS):
        try:
            data, leaf = _leaf(kernel, cpu)
        except OopscopeError as e:
            kernel.problems.lost("rcu", f"CPU {cpu}")(e)
            continue
        if data.cpu != cpu or not leaf.grplo <= cpu <= leaf.grphi:
            kernel.problems.add("rcu", f"what should be RCU's data of CPU {cpu} is of another", data.mynode)
            continue
        held = running and bool(leaf.qsmask & data.grpmask)
        found.append(RcuCpu(cpu, held, bool(leaf.expmask & data.grpmask), max(data.callbacks, 0), data.gp_seq))
    return found


@once
def grace_periods(kernel: Kernel) -> list[GracePeriod]:
    """Return the grace period of the kernel's RCU (rcu_sched, or rcu_preempt)."""
    state = kernel.bind(STATE_PLAN).row(kernel.symbol("rcu_state"))
    running, cpus = bool(state.gp_seq & STATE), rcu_cpus(kernel)
    name = kernel.memory.text(state.name, MAX_NAME)
    waited, nodes = list[int](), set[int]()
    for cpu in cpus if running else ():
        data, leaf = _leaf(kernel, cpu.cpu)
        if data.mynode not in nodes:
            nodes.add(data.mynode)
            waited += _tasks(kernel, leaf)
    thread = task_structs(kernel).get(state.gp_kthread)
    return [
        GracePeriod(
            name, running, _age(kernel, state.gp_start) if running else None, state.gp_seq,
            ranges([cpu.cpu for cpu in cpus if cpu.holds_up]) or None, tuple(waited),
            _callbacks(kernel, cpus), _age(kernel, state.gp_activity), thread.pid if thread else None,
        )
    ]  # fmt: skip


def _callbacks(kernel: Kernel, cpus: list[RcuCpu]) -> int | None:
    """Return the callbacks of all CPUs; None where one of them could not be read."""
    whole = len(cpus) == len(cpu_mask(kernel, *POSSIBLE_MASKS))
    return sum(cpu.callbacks for cpu in cpus) if whole else None


def _age(kernel: Kernel, then: int) -> float | None:
    try:
        return max(seconds_since(kernel, then), 0)
    except OopscopeError:
        return None
