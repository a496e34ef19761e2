"""Where a task's own stack lies, and what a stack is. Where a CPU's others lie is its machine's to say."""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel

DEFAULT_THREAD_SIZE = 16 << 10


class Stack(NamedTuple):
    """One stack: its lowest address, the one after its highest, what runs on it."""

    start: int
    end: int
    kind: FrameKind

    def __contains__(self, address: object) -> bool:
        return isinstance(address, int) and self.start <= address < self.end


def thread_size(kernel: Kernel) -> int:
    """Return THREAD_SIZE: the room that the linker gave the first task's stack, else union thread_union's, else 16 KiB.

    KASAN doubles it.
    """
    for first, last in (("__start_init_stack", "__end_init_stack"), ("__start_init_task", "__end_init_task")):
        start, end = kernel.find_symbol(first), kernel.find_symbol(last)
        if start and end and _is_size(end - start):
            return end - start
    try:
        size = kernel.types.sizeof("thread_union")
    except OopscopeError:
        size = 0
    if _is_size(size):
        return size
    return DEFAULT_THREAD_SIZE if kernel.arch.bits == 64 else DEFAULT_THREAD_SIZE // 2


def _is_size(size: int) -> bool:
    return 4096 <= size <= 1 << 20 and size & size - 1 == 0


def task_stack(kernel: Kernel, base: int) -> Stack:
    """Return a task's own stack, given task_struct.stack."""
    return Stack(base, base + kernel.cached(thread_size), "task")
