"""CPUs that somebody waits for: calls of functions on other CPUs (kernel/smp.c) and stoppers (kernel/stop_machine.c).

A caller spins until the other CPU has taken its call_single_data: that is still locked, one a CPU in the caller's own
cfd_data, or it lies on the caller's stack and hangs in the other CPU's queue. Who waits for stoppers sleeps, with the
works on its stack, or a cpu_stop_done that they name; they hang in the lists of those CPUs that have not come.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.functions import calls_cpus
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.once import once
from oopscope.kernel.stack import task_stack
from oopscope.kernel.walk import for_each_list
from oopscope.linux.sched import runqueues
from oopscope.linux.task import task_structs
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.waits.graph import Claim, Node
from oopscope.waits.kinds.spinlocks import at_work
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import task_node
from oopscope.waits.offsets import offset, offsets
from oopscope.waits.sleepers import Sleeper, completion_of, functions_of, within

LOCKED = 1  # CSD_FLAG_LOCK
MAX_CALLS = 4096  # in one CPU's queue
MAX_WORKS = 4096
MAX_NAMED = 8  # CPUs in a name
SPINS = ("stop_machine_yield", "asm_", "touch_nmi_watchdog", "rcu_momentary", "cpu_relax", "exc_nmi", "end_repeat_nmi")
STOPS = ("stop_", "__stop_cpus", "cpu_stop", "affine_move_task", "__set_cpus_allowed", "set_cpus_allowed")


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for a CPU to answer, or for its stopper."""
    for cpu in all_cpus(kernel):
        if any(calls_cpus(frame.symbol) for frame in cpu.frames):
            try:
                yield from _calls(kernel, cpu)
            except OopscopeError as error:
                kernel.problems.lost("waits", f"the CPUs that CPU {cpu.cpu} waits for")(error)
    for one in unlocked(kernel):
        if not one.places or one.completion is None:
            continue
        if within(one.functions, STOPS):
            try:
                yield from _stopped(kernel, one)
            except OopscopeError as error:
                kernel.problems.lost("waits", f"the stoppers that {one.pid} waits for")(error)
    yield from _machine(kernel)


def cpu_claims(kernel: Kernel, cpu: int) -> tuple[Node, list[Claim]]:
    """Return the node of a CPU that does not come, and what it is at; an idle one is at nothing."""
    node = Node(f"cpu:{cpu}", "cpu", f"{cpu}", None, None, "")
    queue = next((queue for queue in kernel.cached(runqueues) if queue.cpu == cpu), None)
    if queue is None or not queue.curr:
        return node, []
    if queue.curr == queue.idle:
        return node._replace(note="idle"), []
    return node, [Claim(node, task_node(kernel, queue.curr), "held_by", "recorded", None, "rq.curr")]


def _calls(kernel: Kernel, cpu: Cpu) -> Iterator[Claim]:
    who = at_work(kernel, cpu)
    for other in present_cpus(kernel):
        text = _owed(kernel, cpu, other) if other != cpu.cpu else ""
        if text:
            node, held = cpu_claims(kernel, other)
            if node.id != who.id:
                yield Claim(who, node, "waits_for", "linked", None, text)
                yield from held


def _owed(kernel: Kernel, cpu: Cpu, other: int) -> str:
    """Return how it is known that a CPU owes another an answer; nothing where it does not."""
    data, csd = kernel.find_symbol("cfd_data"), offset(kernel, "call_function_data", "csd", "pcpu")
    flags = offset(kernel, "__call_single_data", "node.u_flags", "flags")
    many = any((frame.symbol or "").startswith("smp_call_function_many") for frame in cpu.frames)
    memory = kernel.memory
    if many and data is not None and csd is not None and flags is not None:
        base = memory.word(kernel.per_cpu(data, cpu.cpu) + csd)
        if memory.u32(kernel.per_cpu(base, other) + flags) & LOCKED:
            return f"call_single_data of CPU {cpu.cpu} for CPU {other} is still locked"
    task = kernel.cached(task_structs).get(cpu.task or 0)
    head = kernel.find_symbol("call_single_queue")
    if task is None or head is None or many:
        return ""
    own, at = task_stack(kernel, task.stack), memory.word(kernel.per_cpu(head, other))
    for _ in range(MAX_CALLS):
        if not at:
            break
        if at in own:
            return f"a call from the stack of CPU {cpu.cpu} hangs in the call_single_queue of CPU {other}"
        at = memory.word(at)
    return ""


def _stopped(kernel: Kernel, one: Sleeper) -> Iterator[Claim]:
    """By a work of a stopper that lies on its stack, or that names the cpu_stop_done with the completion in it."""
    completion, within = completion_of(one), offset(kernel, "cpu_stop_done", "completion")
    if completion is None or completion not in one.stack or within is None:
        return
    owed = {work.cpu for work in _works(kernel) if work.address in one.stack or work.done == completion - within}
    if owed:
        node, behind = _stoppers(kernel, completion, sorted(owed))
        text = "what it waits to be completed is done by stoppers"
        yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, text)
        yield from behind


def _stoppers(kernel: Kernel, key: int, owed: list[int]) -> tuple[Node, list[Claim]]:
    """Return the node of what stoppers are to do on some CPUs, and what these are at."""
    name = f"of CPU {', '.join(map(str, owed[:MAX_NAMED]))}" + (", ..." if len(owed) > MAX_NAMED else "")
    node, found = Node(f"stop:{key:#x}", "stopper", name, key), list[Claim]()
    for cpu in owed:
        target, held = cpu_claims(kernel, cpu)
        text = f"a work of its own hangs in the stopper of CPU {cpu}"
        found += [Claim(node, target, "behind", "linked", None, text), *held]
    return node, found


def _machine(kernel: Kernel) -> Iterator[Claim]:
    """stop_machine(): the stoppers that have come spin until the last has; its caller sleeps, or is not let on a CPU.

    What they share lies on the caller's stack, and each work names it.
    """
    come = [cpu for cpu in all_cpus(kernel) if cpu.task and any(f.symbol == "multi_cpu_stop" for f in cpu.frames)]
    owed: dict[int, set[int]] = {}
    for work in _works(kernel) if come else ():
        named = kernel.name_of(work.function)
        if named is not None and named.symbol == "multi_cpu_stop":
            owed.setdefault(work.argument, set()).add(work.cpu)
    if not owed:
        yield from _at_work(kernel, come)
    if len(owed) != 1:
        return  # of several, one after another, whose a stopper is at is not known
    ((shared, cpus),) = owed.items()
    node, behind = _stoppers(kernel, shared, sorted(cpus))
    for cpu in come:
        text = f"CPU {cpu.cpu} is in multi_cpu_stop, which the others have not begun"
        yield Claim(task_node(kernel, cpu.task or 0), node, "waits_for", "inferred", None, text)
    for task in kernel.cached(task_structs).values():
        if task.stack and shared in task_stack(kernel, task.stack):
            text = "what the stoppers share lies on its stack"
            yield Claim(task_node(kernel, task.address), node, "waits_for", "linked", None, text)
    yield from behind


def _at_work(kernel: Kernel, come: list[Cpu]) -> Iterator[Claim]:
    """All stoppers have come: the others, and who called them, wait for the one that does the work and is not done."""
    busy = [cpu for cpu in come if _calls_something(cpu)]
    if len(busy) != 1 or len(come) < 2:
        return
    (one,) = busy
    node = Node(f"stop:cpu{one.cpu}", "stopper", f"of CPU {one.cpu}")
    text = "it is in stop_machine, and of its stoppers only that one is at work"
    callers = [task for task in kernel.cached(task_structs) if _stops_machine(kernel, task)]
    for waiter in (*(cpu.task or 0 for cpu in come if cpu is not one), *(callers if len(callers) == 1 else ())):
        yield Claim(task_node(kernel, waiter), node, "waits_for", "inferred", None, text)
    yield Claim(node, task_node(kernel, one.task or 0), "held_by", "recorded", None, "rq.curr: it is at work")


def _calls_something(cpu: Cpu) -> bool:
    """Tell whether multi_cpu_stop has called what is to be done, and does not merely spin for the others."""
    at = next((at for at, frame in enumerate(cpu.frames) if frame.symbol == "multi_cpu_stop"), 0)
    above = cpu.frames[at - 1] if at else None
    return above is not None and bool(above.symbol) and not (above.symbol or "").startswith(SPINS)


def _stops_machine(kernel: Kernel, task: int) -> bool:
    struct = kernel.cached(task_structs)[task]
    return (
        not struct.on_cpu
        and not struct.exit_state
        and any(function.startswith("stop_machine") for function in functions_of(kernel, task))
    )


class Work(NamedTuple):
    """struct cpu_stop_work that a CPU's stopper has not begun."""

    address: int
    cpu: int
    function: int
    argument: int
    done: int


@once
def _works(kernel: Kernel) -> list[Work]:
    shape = offsets(kernel, "cpu_stop_work", "list", "fn", "arg", "done")
    works, base = offset(kernel, "cpu_stopper", "works"), kernel.find_symbol("cpu_stopper")
    if shape is None or works is None or base is None:
        return []
    found = []
    for cpu in present_cpus(kernel):
        head = kernel.per_cpu(base, cpu) + works
        for entry in for_each_list(kernel.memory, head, shape[0], kernel.problems.lost("waits", "works"), MAX_WORKS):
            try:
                found.append(Work(entry, cpu, *(kernel.memory.word(entry + at) for at in shape[1:])))
            except OopscopeError as error:
                kernel.problems.lost("waits", f"a work of the stopper of CPU {cpu}")(error)
    return found
