"""What a switch between tasks and an exception's entry left in memory, where several machines do that alike."""

from collections.abc import Callable

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State


def in_thread(kernel: Kernel, task: int, sp: int, context: tuple[str, str]) -> State:
    """Return the state of a task that is not running: __switch_to() left it in its struct thread_struct.

    task: struct task_struct *. context: where in it the return address and the frame pointer are, as paths of members.
    """
    offsets = (kernel.types.member("task_struct", path).offset for path in context)
    address, fp = (kernel.memory.word(task + offset) for offset in offsets)
    return State(address, sp, fp, False)


def below(
    kernel: Kernel, pc: int, sp: int, registers_at: Callable[[Kernel, int], dict[str, int]]
) -> dict[str, int] | None:
    """Return the registers of the struct pt_regs right below sp, if they are of an interrupted (pc, sp); else None."""
    try:
        found = registers_at(kernel, sp - kernel.types.sizeof("pt_regs"))
    except OopscopeError:
        return None
    return found if found["pc"] == pc and found["sp"] == sp else None
