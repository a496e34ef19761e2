"""Unwinding an i386 kernel's stack: frame pointers where the kernel keeps them, else a scan.

Follows arch/x86/kernel/unwind_frame.c. What a scan of the stack's words finds is a guess.
"""

from collections.abc import Iterable, Iterator, Mapping

from oopscope.errors import OopscopeError, ReadError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text
from oopscope.machine.common.scan import MAX_FRAMES, frame_at, scan

PROLOGUES = (b"\x55\x89\xe5", b"\x55\x8b\xec")  # push %ebp; mov %esp,%ebp
SAMPLES = ("schedule", "do_exit", "vfs_read", "panic", "kthread")


def keeps_frame_pointers(kernel: Kernel) -> bool:
    """Tell whether a kernel's functions begin by saving ebp."""
    found = 0
    for name in SAMPLES:
        address = kernel.find_symbol(name)
        try:
            found += address is not None and any(p in kernel.memory.read(address, 24) for p in PROLOGUES)
        except OopscopeError:
            continue
    return found >= 2


class Unwinder:
    """Unwinds one stack of one kernel."""

    def __init__(self, kernel: Kernel, stacks: Iterable[Stack]) -> None:
        self._kernel, self._stacks = kernel, list(stacks)
        self.problem: str | None = None

    def frames(self, start: State) -> list[Frame]:
        """Return the frames from the innermost outwards."""
        kernel, stack = self._kernel, self._stacks[0]
        if not start.signal:
            return list(scan(kernel, start.sp, stack))
        found = [frame_at(kernel, start.pc, start.sp, reliable=True, called=False)]
        if kernel.cached(keeps_frame_pointers):
            found += _chain(kernel, start.fp, stack)
        return found if len(found) > 1 else [*found, *scan(kernel, start.sp, stack)]

    def walk(self, start: State) -> Iterator[Frame]:
        """Yield the frames that are more than a guess."""
        yield from (frame for frame in self.frames(start) if frame.reliable)


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder of a task's stack."""
    return Unwinder(kernel, stacks)


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell by the privilege in the code selector whether a CPU ran a program."""
    return bool(registers.get("cs", 0) & 3)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["eip"], registers["esp"], registers["ebp"], True, dict(registers))


def from_sleep(_kernel: Kernel, _task: int, sp: int) -> State:
    """Return the state of a task that is not running: nothing is known but its stack pointer."""
    return State(0, sp, 0, False)


def _chain(kernel: Kernel, fp: int, stack: Stack) -> Iterator[Frame]:
    """Follow saved frame pointers, each with the return address above it, upwards."""
    word = kernel.memory.word_size
    for _ in range(MAX_FRAMES):
        if fp not in stack or fp % word:
            return
        try:
            above, address = kernel.memory.words(fp, 2)
        except ReadError:
            return
        if not in_text(kernel, address):
            return
        yield frame_at(kernel, address, fp + 2 * word, reliable=True, called=True)
        if above <= fp:
            return
        fp = above
