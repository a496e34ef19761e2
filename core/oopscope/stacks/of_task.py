"""Stacks of tasks: a running task's from its CPU's registers, a sleeping one's from where it was switched out."""

from collections.abc import Iterable

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import task_stack, thread_size
from oopscope.linux.sched import runqueues
from oopscope.stacks.registers import registers

# Where __sched_text_start and _end are not to be had: what a sleeper's stack begins with.
_SWITCH = "__switch_to"  # where arm64 and others leave a CPU; outside of the scheduler's text up to 5.16
_SCHEDULING = (
    _SWITCH,
    "__schedule",
    "schedule",
    "schedule_timeout",
    "preempt_schedule",
    "io_schedule",
    "schedule_idle",
)


def running_on(kernel: Kernel) -> dict[int, int]:
    """Return the CPU of every task that was on one, by the task's address."""
    return {queue.curr: queue.cpu for queue in kernel.cached(runqueues) if queue.curr}


def unwind(kernel: Kernel, base: int, start: State, what: str) -> tuple[Frame, ...]:
    """Unwind from a state on a task's stack; why a walk ended early is noted under `what`."""
    unwinder = kernel.machine.unwinder(kernel, [task_stack(kernel, base)])
    frames = unwinder.frames(start)
    if unwinder.problem:
        kernel.problems.add("stacks", f"{what}: {unwinder.problem}", start.sp)
    return tuple(frames)


def stack_of_task(kernel: Kernel, address: int, base: int, sp: int, on_cpu: bool) -> tuple[Frame, ...]:
    """Return a task's frames, innermost first; empty where nothing of its stack can be read."""
    cpu = kernel.cached(running_on).get(address)
    if cpu is not None:
        return stack_of_cpu(kernel, cpu, base)
    what = f"task {address:#x}" + (" (on a CPU that has no registers)" if on_cpu else "")
    try:
        frames = unwind(kernel, base, kernel.machine.start_of_sleeper(kernel, address, sp), what)
    except OopscopeError as e:
        kernel.problems.lost("stacks", what)(e)
        return ()
    # Of one that ran it is where it had slept last: what that stack holds by now is another thing.
    return tuple(frame._replace(reliable=False) for frame in frames) if on_cpu else frames


def stack_of_lost(kernel: Kernel, address: int, base: int | None, sp: int | None) -> tuple[Frame, ...]:
    """Return the frames of a task of whose struct only a part is in the dump: what its stack alone tells is a guess."""
    cpu = kernel.cached(running_on).get(address)
    if cpu is not None:
        return stack_of_cpu(kernel, cpu, base)
    if sp:
        return stack_of_task(kernel, address, base or sp & -kernel.cached(thread_size), sp, False)
    if not base:
        return ()
    try:
        return tuple(kernel.machine.guess_sleeper(kernel, task_stack(kernel, base)))
    except OopscopeError as e:
        kernel.problems.lost("stacks", f"task {address:#x}")(e)
        return ()


def stack_of_cpu(kernel: Kernel, cpu: int, base: int | None) -> tuple[Frame, ...]:
    """Return a CPU's frames from its registers; its task's stack lies at base, or (None) about the stack pointer."""
    regs = kernel.cached(registers).get(cpu)
    if not regs:
        return _stack_without_registers(kernel, cpu, base)
    pc, sp = regs[kernel.arch.pc], regs[kernel.arch.sp]
    if kernel.machine.in_user(regs):
        return (Frame(pc, None, None, None, "user", True, sp),)
    if base is None:
        base = _about(kernel, cpu, sp)
        kernel.problems.add("cpus", f"CPU {cpu}: where its task's stack lies is taken from the stack pointer", base)
    return unwind(kernel, base, kernel.machine.start_of_cpu(regs), f"CPU {cpu}")


def _about(kernel: Kernel, cpu: int, sp: int) -> int:
    """Return where a stack begins by an address on it, or on the interrupt stack that it was left for."""
    for stack in kernel.cached(kernel.machine.stacks_by_cpu).get(cpu, []):
        if sp in stack:
            sp = kernel.machine.left_stack(kernel, stack) or sp
            break
    return sp & -kernel.cached(thread_size)  # stacks are aligned to their size


def _stack_without_registers(kernel: Kernel, cpu: int, base: int | None) -> tuple[Frame, ...]:
    """Look for frames in the stack of the task that a CPU ran; all that is found is a guess."""
    if base is None:
        kernel.problems.add("cpus", f"CPU {cpu} has no registers in the dump: its stack is not known")
        return ()
    kernel.problems.add("cpus", f"CPU {cpu} has no registers in the dump: its frames are a guess from its stacks")
    try:
        machine = kernel.machine
        return tuple(machine.guess(kernel, task_stack(kernel, base), machine.live_stacks(kernel, cpu)))
    except OopscopeError as e:
        kernel.problems.lost("stacks", f"CPU {cpu}")(e)
        return ()


def _scheduling_text(kernel: Kernel) -> tuple[int, int]:
    start, end = kernel.find_symbol("__sched_text_start"), kernel.find_symbol("__sched_text_end")
    return (start, end) if start and end else (0, 0)


def sleeping_in(kernel: Kernel, address: int, base: int, sp: int) -> str | None:
    """Return the function that a task sleeps in (its wchan): the first beyond the scheduler's own.

    address: struct task_struct *; base: its stack's lowest address; sp: its saved stack pointer.
    """
    machine = kernel.machine
    try:
        unwinder = machine.unwinder(kernel, [task_stack(kernel, base)])
        return beyond_scheduler(kernel, unwinder.walk(machine.start_of_sleeper(kernel, address, sp)))
    except OopscopeError:
        return None


def beyond_scheduler(kernel: Kernel, frames: Iterable[Frame]) -> str | None:
    """Return the first function of a stack, from its innermost frame, that is not the scheduler's own.

    None where that frame is a guess: stale words of a stack would name what a task was in before.
    """
    start, end = kernel.cached(_scheduling_text)
    for frame in frames:
        if frame.kind == "user":
            return None
        inside = start <= frame.address < end or frame.symbol == _SWITCH if end else frame.symbol in _SCHEDULING
        if not inside:
            return frame.symbol if frame.reliable else None
    return None
