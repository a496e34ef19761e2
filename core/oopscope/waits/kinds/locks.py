"""Sleeping locks: who waits for them, and who holds them. Also what they are part of, where that is frozen.

A single reader is a holder. Of several, the last that came is drawn as likely; so is a semaphore's last holder.
"""

from collections.abc import Iterator

from oopscope.kernel.kernel import Kernel
from oopscope.linux.frozen import Frozen
from oopscope.waits.disks import claims_of_frozen
from oopscope.waits.graph import Basis, Claim, Node
from oopscope.waits.locks import all_locks
from oopscope.waits.nodes import file_system_node, frozen, lock_name, task_node, thing
from oopscope.waits.offsets import offset
from oopscope.waits.recorded import checked, said
from oopscope.waits.sleepers import sleepers, within
from oopscope.waits.wait import Wait

COMPLETE = 4  # SB_FREEZE_COMPLETE
HANDED = ("mutex", "rw_semaphore", "rt_mutex", "spinlock")  # locks whose own word tells of every holder but readers
BY_TASK = ("rt_mutex", "spinlock", "futex")  # the waiter is named by its task


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield each wait for a lock, its holders, and the frozen file system that a lock belongs to."""
    since = {one.address: one.since for one in sleepers(kernel)}
    nodes: dict[tuple[int, bool], Node] = {}
    for wait in all_locks(kernel):
        if wait.kind == "futex":  # the kind that knows futexes names it by its word
            continue
        for_readers = bool(wait.readers) and wait.kind.startswith("percpu")
        node = nodes.get((wait.lock, for_readers))
        if node is None:
            node = nodes[wait.lock, for_readers] = _node(kernel, wait)
        basis: Basis = "recorded" if wait.kind in BY_TASK else "linked"
        waiter = task_node(kernel, wait.task)
        yield Claim(waiter, node, "waits_for", basis, since.get(wait.task), _waits(wait) + checked(kernel, wait))
        yield from _held(kernel, wait, node)
    yield from _recorded(kernel, {wait.task for wait in all_locks(kernel)})
    for one in frozen(kernel) if nodes else ():
        for (address, _), node in nodes.items():
            if one.holds(address):
                system = file_system_node(kernel, one.address)
                yield Claim(node, system, "behind", "recorded", None, f"s_writers.frozen is {one.level}")
                yield from claims_of_frozen(kernel, one.address)
                yield from _freezing(kernel, one, system)


def _recorded(kernel: Kernel, known: set[int]) -> Iterator[Claim]:
    """Yield the waits that only a task's own record tells of; whose lock that is its stack does not show."""
    if offset(kernel, "task_struct", "blocked_on", "blocker") is None:
        return
    for one in sleepers(kernel):
        found = said(kernel, one.address) if one.address not in known else None
        if found is not None:
            node = thing(found.kind, found.lock, lock_name(kernel, found.kind, found.lock))
            yield Claim(task_node(kernel, one.address), node, "waits_for", "recorded", one.since, found.member)


def _freezing(kernel: Kernel, one: Frozen, system: Node) -> Iterator[Claim]:
    """Yield who is about to freeze a file system, and has its super block among its words."""
    for task in sleepers(kernel) if one.level < COMPLETE else ():
        if task.blocked and one.address in task.words and within(task.functions, "freeze_super"):
            text = "it is in freeze_super, with the super block among its words"
            yield Claim(system, task_node(kernel, task.address), "held_by", "inferred", None, text)


def _node(kernel: Kernel, wait: Wait) -> Node:
    note = ""
    if wait.ended:
        note = "its owner has ended"
    elif wait.owner == wait.task:
        note = "its record names the waiter itself"
    elif wait.readers:
        note = f"{wait.reader_count} readers" if wait.reader_count else "held by readers"
    elif wait.free and wait.kind in HANDED:
        note = "free: who waits first is to take it"
    name = lock_name(kernel, wait.kind, wait.lock)
    if wait.readers and wait.kind.startswith("percpu"):  # its writer waits for what nothing records
        return Node(
            f"{wait.kind}:{wait.lock:#x}:readers", wait.kind, f"{name}'s readers", wait.lock, None, "not recorded"
        )
    return thing(wait.kind, wait.lock, name, note)


def _waits(wait: Wait) -> str:
    if wait.kind in BY_TASK:
        return "task_struct.pi_blocked_on names a waiter of this task, and that the lock"
    if wait.kind == "percpu_rw_semaphore":
        return "the lock's writer is this task" if wait.readers else "a wait queue entry of its own leads to the lock"
    return f"a {wait.kind}'s waiter on its own stack names it, linked both ways with the lock"


def _held(kernel: Kernel, wait: Wait, node: Node) -> Iterator[Claim]:
    if wait.owner is None or wait.owner == wait.task:
        return
    holder = task_node(kernel, wait.owner)
    if wait.kind == "semaphore":
        yield Claim(node, holder, "held_by", "likely", None, "semaphore.last_holder: the last that took it")
    elif wait.holder is not None:
        text = "the only reader" if wait.readers else "the writer" if wait.kind.startswith("percpu") else "the owner"
        yield Claim(node, holder, "held_by", "recorded", None, f"{text} by the lock's own word")
    else:
        yield Claim(node, holder, "held_by", "likely", None, f"the last of {wait.reader_count or 'its'} readers")
