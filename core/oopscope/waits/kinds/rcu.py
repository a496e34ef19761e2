"""RCU: a grace period, and the CPUs and sleeping readers that hold it up. Follows kernel/rcu/{tree.h,tree_plugin.h}.

A leaf of rcu_state's tree has in qsmask the CPUs that have not passed a quiescent state, and from gp_tasks on in its
list blkd_tasks the readers that were preempted or sleep in a section (CONFIG_PREEMPT_RCU); for an expedited grace
period these are expmask and exp_tasks. A reader of SRCU is recorded nowhere.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.sched import runqueues
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import symbol_name, task_node, thing
from oopscope.waits.offsets import lowest, offset, size
from oopscope.waits.sleepers import Sleeper, heads_of, within

MAX_NODES = 1024
MAX_READERS = 4096
IN_PROGRESS = 3  # the low bits of gp_seq


class _Leaf(NamedTuple):
    """struct rcu_node."""

    address: int
    level: int
    grplo: int
    grphi: int
    qsmask: int
    expmask: int
    blkd_tasks: int
    gp_tasks: int | None
    exp_tasks: int | None


NODE = Plan("rcu_node", _Leaf, blkd_tasks="&blkd_tasks")


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for an expedited grace period, and who ends one."""
    for one in unlocked(kernel):
        if one.blocked and within(one.functions, "synchronize_rcu_expedited_wait"):
            node, holders = grace_period(kernel, True)
            text = "it is in synchronize_rcu_expedited_wait, which waits for the CPUs and readers"
            yield Claim(task_node(kernel, one.address), node, "waits_for", "inferred", one.since, text)
            yield from holders
            continue
        if not one.entries or not within(one.functions, "synchronize_rcu_expedited"):
            continue
        for head in heads_of(one):
            named = kernel.name_of(head)
            if named is not None and named.symbol == "rcu_state":
                node, holders = grace_period(kernel, True)
                text = "its wait queue entry leads to a node of rcu_state"
                yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
                yield from holders


def grace_period(kernel: Kernel, expedited: bool = False) -> tuple[Node, list[Claim]]:
    """Return the node of the grace period that is in progress, and what holds it up."""
    state = kernel.symbol("rcu_state")
    kind, name = ("expedited", "expedited grace period") if expedited else ("normal", "grace period")
    sequence = kernel.memory.word(state + (offset(kernel, "rcu_state", "gp_seq") or 0))
    running = expedited or bool(sequence & IN_PROGRESS)
    node = Node(f"rcu:{kind}", "rcu", name, state, None, "" if running else "not begun")
    return node, [*_holders(kernel, node, expedited)] if running else []


def barrier(kernel: Kernel, one: Sleeper, completion: int) -> Iterator[Claim]:
    """Yield that a task waits in rcu_barrier(): until callbacks are called, which begins with a grace period's end."""
    state, at = kernel.find_symbol("rcu_state"), offset(kernel, "rcu_state", "barrier_completion")
    if state is None or at is None or completion != state + at:
        return
    node = Node("rcu:barrier", "rcu", "barrier", completion)
    text = "its waiter on its own stack leads to rcu_state.barrier_completion"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
    period, holders = grace_period(kernel)
    if holders:
        yield Claim(node, period, "behind", "inferred", None, "callbacks wait for the grace period that is in progress")
        yield from holders


def sleepable_grace_period(kernel: Kernel, one: Sleeper) -> Node:
    """Return the node of a grace period of SRCU: its domain is a static variable whose address the task has kept."""
    names, floor = {}, lowest(kernel)
    for word in dict.fromkeys(one.words):
        named = kernel.name_of(word) if word >= floor else None
        if named is not None and not named.offset and "srcu" in named.symbol and word % kernel.memory.word_size == 0:
            names[word] = symbol_name(kernel, word) or named.symbol
    domains = {word: name for word, name in names.items() if not _in_text(kernel, word)}
    if len(domains) == 1:
        ((address, name),) = domains.items()
        return thing("srcu", address, name, "readers of SRCU are not recorded")
    return Node(f"srcu:{one.address:#x}", "srcu", "grace period", None, None, "readers of SRCU are not recorded")


def _in_text(kernel: Kernel, address: int) -> bool:
    start, end = kernel.find_symbol("_stext"), kernel.find_symbol("_etext")
    return bool(start and end and start <= address < end)


def _leaves(kernel: Kernel) -> list[_Leaf]:
    state, first, each = kernel.symbol("rcu_state"), offset(kernel, "rcu_state", "node"), size(kernel, "rcu_node")
    if first is None or each is None:
        return []
    at = kernel.find_symbol("rcu_num_nodes")
    count = min(kernel.memory.u32(at) if at else 1, MAX_NODES)
    rows = [kernel.bind(NODE).row(state + first + each * number) for number in range(count)]
    deepest = max(row.level for row in rows)
    return [row for row in rows if row.level == deepest]


def _holders(kernel: Kernel, node: Node, expedited: bool) -> Iterator[Claim]:
    running = {queue.cpu: queue.curr for queue in kernel.cached(runqueues)}
    for leaf in _leaves(kernel):
        mask = leaf.expmask if expedited else leaf.qsmask
        for bit in range(min(leaf.grphi - leaf.grplo + 1, 64)):
            cpu = leaf.grplo + bit
            if mask >> bit & 1 and cpu in running:
                target = task_node(kernel, running[cpu]) if running[cpu] else Node(f"cpu:{cpu}", "cpu", f"{cpu}")
                text = f"CPU {cpu} has not passed a quiescent state: {'expmask' if expedited else 'qsmask'}"
                yield Claim(node, target, "held_by", "recorded", None, text)
        for task in _readers(kernel, leaf, leaf.exp_tasks if expedited else leaf.gp_tasks):
            text = "it was switched out within a reader's section: rcu_node.blkd_tasks"
            yield Claim(node, task_node(kernel, task), "held_by", "recorded", None, text)


def _readers(kernel: Kernel, leaf: _Leaf, first: int | None) -> Iterator[int]:
    """Yield the readers from one on to the end of the list: the newest come first, these hold the grace period up."""
    link = offset(kernel, "task_struct", "rcu_node_entry")
    seen, node = set[int](), first
    try:
        while node and link is not None and node != leaf.blkd_tasks and node not in seen and len(seen) < MAX_READERS:
            seen.add(node)
            if node - link in kernel.cached(task_structs):
                yield node - link
            node = kernel.memory.word(node)
    except OopscopeError:
        return
