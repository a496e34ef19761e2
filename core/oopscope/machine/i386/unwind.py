"""Unwinding an i386 kernel's stack: frame pointers where the kernel keeps them, else a scan.

Follows arch/x86/kernel/unwind_frame.c and arch/x86/entry/entry_32.S. An entry makes no frame: its pt_regs lie above the
return address into it, or where ebp points, whose topmost bit is then cleared (946c191161ce "x86/entry/unwind: Create
stack frames for saved interrupt registers", 4.10). What a scan of the stack's words finds is a guess.
"""

from collections.abc import Iterable, Iterator, Mapping

from oopscope.errors import OopscopeError, ReadError
from oopscope.kernel.frame import Frame, FrameKind
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text
from oopscope.machine.common.scan import MAX_FRAMES, frame_at, scan
from oopscope.machine.common.x86_entries import ALWAYS_SET, FLAGS, IN_FUNCTION, boundary, frame_made
from oopscope.machine.i386.stacks import stacks_by_cpu

MOVES = (b"\x89\xe5", b"\x8b\xec")  # mov %esp,%ebp
PT_REGS = (
    *("ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "gs"),
    *("orig_eax", "eip", "cs", "eflags", "esp", "ss"),
)
KERNEL_CS = 0x60
TOP_BIT = 1 << 31
INTERRUPTS = ("sysvec_", "common_interrupt", "do_IRQ", "smp_")  # what handle_exception is entered for beside exceptions
FORK = ("ret_from_fork", "ret_from_fork_asm")
SWITCH_FRAMES = (6, 5)  # words: with eflags, and without
SAMPLES = ("schedule", "do_exit", "vfs_read", "panic", "kthread")


def keeps_frame_pointers(kernel: Kernel) -> bool:
    """Tell whether a kernel's functions begin by saving ebp."""
    found = 0
    for name in SAMPLES:
        address = kernel.find_symbol(name)
        try:
            found += address is not None and frame_made(kernel.memory.read(address, 32), MOVES) is not None
        except OopscopeError:
            continue
    return found >= 2


class Unwinder:
    """Unwinds one stack of one kernel."""

    def __init__(self, kernel: Kernel, stacks: Iterable[Stack]) -> None:
        others = kernel.cached(stacks_by_cpu).values()
        self._kernel, self._stacks = kernel, [*stacks, *(stack for own in others for stack in own)]
        self.problem: str | None = None

    def frames(self, start: State) -> list[Frame]:
        """Return the frames from the innermost outwards."""
        kernel, stack = self._kernel, self._stacks[0]
        if not start.pc:
            return list(scan(kernel, start.sp, stack))
        name = kernel.name_of(start.pc) if in_text(kernel, start.pc) else None
        called = not start.signal and name is not None and name.offset > 0  # a child begins at its function's start
        found = [frame_at(kernel, start.pc, start.sp, reliable=True, called=called)]
        if kernel.cached(keeps_frame_pointers):
            found += self._chain(start.fp)
        ends = found[-1].symbol in FORK
        return _marked(found) if len(found) > 1 or ends else [*found, *scan(kernel, start.sp, stack)]

    def walk(self, start: State) -> Iterator[Frame]:
        """Yield the frames that are more than a guess."""
        yield from (frame for frame in self.frames(start) if frame.reliable)

    def _stack_of(self, address: int) -> Stack | None:
        return next((stack for stack in self._stacks if address in stack), None)

    def _chain(self, fp: int) -> Iterator[Frame]:
        """Follow saved frame pointers, each with the return address above it, upwards; and what entries saved."""
        kernel, word, inner = self._kernel, self._kernel.memory.word_size, ""
        for _ in range(MAX_FRAMES):
            stack = self._stack_of(fp)
            if stack is None:
                yield from self._forked(fp)
                return
            try:
                above, address = kernel.memory.words(fp, 2)
            except ReadError:
                return
            if fp % word or not in_text(kernel, address):
                return
            sp = fp + 2 * word
            frame = frame_at(kernel, address, sp, reliable=True, called=True)
            regs = _saved_by_entry(kernel, address, above, sp, stack)
            if regs is None:
                yield frame
            else:
                kind: FrameKind = "irq" if inner.startswith(INTERRUPTS) else boundary(frame.symbol or "")
                yield frame._replace(kind=kind)
                if in_user(regs):
                    yield Frame(regs["eip"], None, None, None, "user", True, regs["esp"])
                    return
                yield frame_at(kernel, regs["eip"], regs["esp"], reliable=True, called=False)
                above = regs["ebp"]
            if above <= fp and self._stack_of(above) in (stack, None):
                return
            fp, inner = above, frame.symbol or ""

    def _forked(self, fp: int) -> Iterator[Frame]:
        """Yield where a child returns to that has not run yet: its frame pointer leads to its struct pt_regs."""
        stack = None if fp & TOP_BIT else self._stack_of(fp | TOP_BIT)
        regs = _pt_regs(self._kernel, fp | TOP_BIT, stack) if stack is not None else None
        if regs is not None and in_user(regs):
            yield Frame(regs["eip"], None, None, None, "user", True, regs["esp"])


def _marked(frames: list[Frame]) -> list[Frame]:
    """Return frames with the one marked that a thread begins in."""
    last = next((frame for frame in reversed(frames) if frame.kind != "user"), None)
    return [f._replace(kind="syscall") if f is last and f.symbol in FORK else f for f in frames]


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder of a task's stack."""
    return Unwinder(kernel, stacks)


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell by the privilege in the code selector whether a CPU ran a program."""
    return bool(registers.get("cs", 0) & 3)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["eip"], registers["esp"], registers["ebp"], True, dict(registers))


def from_sleep(kernel: Kernel, _task: int, sp: int) -> State:
    """Return the state of a task that is not running: what __switch_to_asm() pushed; else its stack pointer alone.

    That is struct inactive_task_frame: the last are ebp and the return address. It came with 0100301bfdf5 "sched/x86:
    Rewrite the switch_to() code", 4.9, and eflags before it with 6690e86be83a "sched/x86: Save [ER]FLAGS on context
    switch", 5.2.
    """
    word = kernel.memory.word_size
    for words in SWITCH_FRAMES:
        fp, address = kernel.memory.words(sp + (words - 2) * word, 2)
        name = kernel.name_of(address) if in_text(kernel, address) else None
        forked = name is not None and name.symbol in FORK and not name.offset
        if name is not None and (forked or kernel.machine.follows_call(kernel, address, None)):
            return State(address, sp + words * word, fp, False)
    return State(0, sp, 0, False)


def _saved_by_entry(kernel: Kernel, address: int, above: int, sp: int, stack: Stack) -> dict[str, int] | None:
    """Return the registers of what an entry interrupted, given a return address in it; None for compiled functions."""
    tagged = above | TOP_BIT
    if not above & TOP_BIT and tagged in stack:
        return _pt_regs(kernel, tagged, stack)
    name = kernel.name_of(address - 1)
    if name is None:
        return None
    try:
        code = kernel.memory.read(address - 1 - name.offset, IN_FUNCTION)
    except OopscopeError:
        return None
    return None if frame_made(code, MOVES) else _pt_regs(kernel, sp, stack)


def _pt_regs(kernel: Kernel, at: int, stack: Stack) -> dict[str, int] | None:
    """Read the struct pt_regs at an address; None for what cannot be one."""
    try:
        regs = dict(zip(PT_REGS, kernel.memory.words(at, len(PT_REGS)), strict=True))
    except ReadError:
        return None
    cs = regs["cs"] = regs["cs"] & 0xFFFF  # what is above the selector is not the CPU's
    if not regs["eflags"] & ALWAYS_SET or regs["eflags"] >= FLAGS:
        return None
    if cs & 3 == 3:
        limit = kernel.find_symbol("_stext") or kernel.memory.top  # programs lie below the kernel
        return regs if max(regs["eip"], regs["esp"]) < limit else None
    # Before 3c88c692c287 "x86/stackframe/32: Provide consistent pt_regs" (5.3) what was interrupted in the kernel has
    # no esp of its own in it.
    return regs if cs == KERNEL_CS and in_text(kernel, regs["eip"]) and regs["esp"] in stack else None
