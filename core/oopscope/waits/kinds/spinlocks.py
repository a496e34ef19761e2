"""Spinlocks that CPUs spin for: who waits, by the lock's own queue, and the CPU that may hold it.

That is likely at most: the only CPU in kernel code whose registers, stack or code name the lock.
"""

from collections import defaultdict
from collections.abc import Iterator

from oopscope.kernel.kernel import Kernel
from oopscope.stacks.cpus import Cpu
from oopscope.waits.graph import Basis, Claim, Node
from oopscope.waits.nodes import lock_name, task_node, thing
from oopscope.waits.spinning import Spinner, in_interrupt, names, spinners, suspects


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield each CPU that spins for a lock, by the task that it runs, and who is likely to hold it."""
    by_lock: dict[int, list[Spinner]] = defaultdict(list)
    for one in spinners(kernel):
        by_lock[one.lock].append(one)
    for lock, waiting in by_lock.items():
        yield from _of(kernel, lock, waiting)


def _of(kernel: Kernel, lock: int, waiting: list[Spinner]) -> Iterator[Claim]:
    found = suspects(kernel, {one.cpu.cpu for one in waiting})
    named = [(cpu, why) for cpu in found if (why := names(kernel, cpu, lock))]
    note = ""
    if len(named) != 1:
        cpus = ", ".join(str(cpu.cpu) for cpu, _ in named) or ", ".join(str(cpu.cpu) for cpu in found)
        note = f"in kernel code, where it may be held: CPU {cpus}" if cpus else "no other CPU is in kernel code"
    node = thing("spinlock", lock, lock_name(kernel, "spinlock", lock), note)
    for one in waiting:
        yield from _waits(kernel, one, node)
    if len(named) == 1:
        ((cpu, why),) = named
        yield Claim(node, at_work(kernel, cpu), "held_by", "likely", None, f"CPU {cpu.cpu}: {why}")


def _waits(kernel: Kernel, one: Spinner, node: Node) -> Iterator[Claim]:
    basis: Basis = "linked" if one.queued else "inferred"
    text = (
        f"CPU {one.cpu.cpu} stands in the queue that the lock's tail ends"
        if one.queued
        else (
            f"CPU {one.cpu.cpu} spins in a spinlock's slow path and has this one, which is taken, among its registers"
        )
    )
    who = at_work(kernel, one.cpu)
    yield Claim(who, node, "waits_for", basis, None, text)
    if who.kind == "cpu" and one.cpu.task:
        yield from held_up(kernel, one.cpu, who)


def at_work(kernel: Kernel, cpu: Cpu) -> Node:
    """Return what a CPU is at: its task, or the CPU itself where that was only interrupted."""
    if cpu.task and not in_interrupt(cpu):
        return task_node(kernel, cpu.task)
    return Node(f"cpu:{cpu.cpu}", "cpu", f"{cpu.cpu}", None, None, "in an interrupt")


def held_up(kernel: Kernel, cpu: Cpu, node: Node) -> Iterator[Claim]:
    """Yield that a task goes on only when its CPU is done with the interrupt."""
    if cpu.task and cpu.pid:
        text = "rq.curr: an interrupt has its CPU"
        yield Claim(task_node(kernel, cpu.task), node, "waits_for", "recorded", None, text)
