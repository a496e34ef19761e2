"""What frame pointers alone do not tell: what an entry interrupted, and the caller of a function that has no frame yet.

Follows arch/x86/entry/{calling.h,entry_64.S}. An entry keeps no frame of its own. It calls with pt_regs right above the
return address, or, on the interrupt stack before 5.8 (931b94145981 "x86/entry: Provide helpers for executing on the
irqstack"), with a pointer to pt_regs there. Only since 946c191161ce "x86/entry/unwind: Create stack frames for saved
interrupt registers" (4.10) does rbp point at it, tagged with 1; before, rbp is that of the function that was
interrupted, so that following it alone jumps over this function.
"""

from collections.abc import Callable

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text
from oopscope.machine.common.x86_code import call_target, follows_call
from oopscope.machine.common.x86_entries import ALWAYS_SET, FLAGS, IN_FUNCTION, frame_made

PT_REGS = (
    *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi"),
    *("orig_rax", "rip", "cs", "eflags", "rsp", "ss"),
)
MOVES = (b"\x48\x89\xe5", b"\x48\x8b\xec")  # mov %rsp,%rbp
KERNEL_CS = 0x10
USER_TOP = 1 << 56
TOP_PADDING = 16  # bytes above the pt_regs of a program at the most (FRED)


class EntryFrames:
    """Reads the entries on the stacks of a kernel with frame pointers."""

    def __init__(self, kernel: Kernel, stack_of: Callable[[int], Stack | None]) -> None:
        self._kernel, self._memory, self._stack_of = kernel, kernel.memory, stack_of

    def registers(self, state: State) -> dict[str, int] | None:
        """Return what an entry saved, given a return address in it; None for a compiled function, or if none fits."""
        if state.signal or not self._kernel.cached(has_frame_pointers):
            return None
        if state.fp & 1:
            return self._at(state.fp & ~1)
        if self._kernel.name_of(state.pc - 1) is None:
            return self._of_program(state.sp)
        if self._frame_at(state.pc - 1) is not None:
            return None
        return self._at(state.sp) or self._on_another_stack(state.sp)

    def _of_program(self, at: int) -> dict[str, int] | None:
        """Read the pt_regs of a program at the very top of a stack: proof enough where functions have no names."""
        regs, stack = self._at(at), self._stack_of(at)
        topmost = stack is not None and 0 <= stack.end - at - 8 * len(PT_REGS) <= TOP_PADDING
        return regs if regs and topmost and regs["cs"] & 3 else None

    def _on_another_stack(self, sp: int) -> dict[str, int] | None:
        """Read the pt_regs that an entry pushed the address of when it had left the stack on which they lie."""
        try:
            at = self._memory.word(sp)
        except OopscopeError:
            return None
        return self._at(at) if self._stack_of(at) is not self._stack_of(sp) else None

    def without_frame(self, state: State) -> State | None:
        """Return the caller of an interrupted function that had not made its frame, or makes none; None for any other.

        A function that makes none (written in assembly) is believed to have pushed nothing where its own return
        address is on top of the stack: the call before it calls this function, or else it is a guess.
        """
        name = self._kernel.name_of(state.pc) if state.signal else None
        if name is None:
            return None
        made = self._frame_at(state.pc)
        pushed, moved = made or (name.offset, name.offset)
        above = 0 if name.offset <= pushed else 8 if name.offset <= moved else None
        if above is None:
            return None
        try:
            address = self._memory.word(state.sp + above)
        except OopscopeError:
            return None
        if not in_text(self._kernel, address) or not follows_call(self._kernel, address):
            return None
        sure = made is not None or not name.offset or call_target(self._kernel, address) == state.pc - name.offset
        return State(address, state.sp + above + 8, state.fp, False, reliable=state.reliable and sure)

    def _frame_at(self, address: int) -> tuple[int, int] | None:
        """Return where in its function's code rbp is pushed and set; None where it makes no frame."""
        name = self._kernel.name_of(address)
        if name is None:
            return None
        try:
            return frame_made(self._memory.read(address - name.offset, IN_FUNCTION), MOVES)
        except OopscopeError:
            return 0, 1  # as the compiler makes them

    def _at(self, at: int) -> dict[str, int] | None:
        """Read the pt_regs at an address; None for what cannot be one."""
        if at % 8 or self._stack_of(at) is None:
            return None
        try:
            regs = dict(zip(PT_REGS, self._memory.words(at, len(PT_REGS)), strict=True))
        except OopscopeError:
            return None
        if not regs["eflags"] & ALWAYS_SET or regs["eflags"] >= FLAGS:
            return None
        if regs["cs"] & 3 == 3:
            return regs if regs["cs"] < 1 << 16 and regs["rip"] < USER_TOP and regs["rsp"] < USER_TOP else None
        return regs if regs["cs"] == KERNEL_CS and self._stack_of(regs["rsp"]) is not None else None


def has_frame_pointers(kernel: Kernel) -> bool:
    """Tell whether the kernel keeps frame pointers: it has no ORC tables, and its functions begin by saving rbp."""
    if kernel.find_symbol("__start_orc_unwind") is not None:
        return False
    prologues = 0
    for name in ("schedule", "do_exit", "vfs_read", "panic", "kthread"):
        address = kernel.find_symbol(name)
        try:
            prologues += address is not None and frame_made(kernel.memory.read(address, 32), MOVES) is not None
        except OopscopeError:
            continue
    return prologues >= 2


def pushes(kernel: Kernel, function: int) -> list[int]:
    """Return the registers (0 rax .. 15 r15) that a function's prologue pushes first, in their order."""
    try:
        code = kernel.memory.read(function, 48)
    except OopscopeError:
        return []
    code = code.removeprefix(b"\xf3\x0f\x1e\xfa")  # endbr64
    if code[:5] == b"\x0f\x1f\x44\x00\x00" or code[:1] == b"\xe8":  # ftrace's place
        code = code[5:]
    found, at = [], 0
    while at + 1 < len(code):
        wide = code[at] == 0x41
        opcode = code[at + wide]
        if opcode & 0xF8 != 0x50:
            break
        found.append((opcode & 7) + 8 * wide)
        at += 1 + wide
    return found
