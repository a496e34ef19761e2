"""Processes that wait for their children, and tracees that wait for their tracer. Follows kernel/{exit,ptrace}.c.

wait4's struct wait_opts stands on the waiter's stack around its wait queue entry; it names one struct pid, or any.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task import all_tasks_known, task_structs
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import task_node
from oopscope.waits.offsets import offset, offsets
from oopscope.waits.sleepers import Sleeper

WAKES = "child_wait_callback"
ONE = (0, 1)  # PIDTYPE_PID, PIDTYPE_TGID
MAX_CHILDREN = 64  # that are named of those of whom any would do
TRACED = 8  # TASK_TRACED


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for a child, and who stands still for a tracer."""
    for one in unlocked(kernel):
        for entry in one.entries if one.places else ():
            if entry.function == WAKES:
                try:
                    yield from _of(kernel, one, entry.node)
                except OopscopeError as error:
                    kernel.problems.lost("waits", f"the children that {one.pid} waits for")(error)
    yield from _traced(kernel)


def _of(kernel: Kernel, one: Sleeper, node: int) -> Iterator[Claim]:
    shape = offsets(kernel, "wait_opts", "child_wait.entry", "wo_type", "wo_pid")
    if shape is None:
        return
    base = node - shape[0]
    kind, pid = one.word(base + shape[1]) & 0xFFFFFFFF, one.word(base + shape[2])
    children = [task for task in kernel.cached(task_structs).values() if _is_child(kernel, task.real_parent, one)]
    if kind in ONE:
        at = offset(kernel, "task_struct", "thread_pid")
        children = [task for task in children if at is not None and kernel.memory.word(task.address + at) == pid]
    elif pid:
        return  # of a process group: not followed
    leaders = [task for task in children if task.pid and task.pid == task.tgid]
    name = f"{leaders[0].pid}" if kind in ONE and leaders else "any of its children"
    waits = Node(f"child:{one.address:#x}", "child", name, base, None, _note(kernel, len(leaders)), True)
    text = "wait_opts on its own stack names whom it waits for"
    yield Claim(task_node(kernel, one.address), waits, "waits_for", "linked", one.since, text)
    for child in leaders[:MAX_CHILDREN]:
        yield Claim(waits, task_node(kernel, child.address), "held_by", "recorded", None, "task_struct.real_parent")


def _note(kernel: Kernel, count: int) -> str:
    if not count:
        return "it has no such child" if all_tasks_known(kernel) else "not every task could be read"
    return f"{count} children, of which {MAX_CHILDREN} are named" if count > MAX_CHILDREN else ""


def _is_child(kernel: Kernel, parent: int, one: Sleeper) -> bool:
    found = kernel.cached(task_structs).get(parent)
    return found is not None and found.tgid == one.task.tgid


def _traced(kernel: Kernel) -> Iterator[Claim]:
    at = offset(kernel, "task_struct", "parent")
    for task in kernel.cached(task_structs).values():
        if not task.state & TRACED or task.exit_state or at is None:
            continue
        tracer = kernel.memory.word(task.address + at)
        if tracer in kernel.cached(task_structs) and tracer != task.real_parent:
            node = Node(f"ptrace:{task.address:#x}", "ptrace", "its tracer", None)
            yield Claim(task_node(kernel, task.address), node, "waits_for", "recorded", None, "it is in state t")
            yield Claim(node, task_node(kernel, tracer), "held_by", "recorded", None, "task_struct.parent")
