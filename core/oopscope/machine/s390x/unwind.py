"""Unwinding an s390x kernel's stack by its back chain, through exceptions, to the program or the thread's start.

Follows arch/s390/kernel/unwind_bc.c and arch/s390/include/asm/stacktrace.h. r15 points at a struct stack_frame, whose
back chain is the caller's, into which the function saved its registers: the return address is r14 there. Behind a frame
without a back chain lies the struct pt_regs of what was interrupted. Where in the frame both are depends on how the
kernel was built; its own types say it.
"""

import struct
from collections.abc import Iterable, Mapping

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack, thread_size
from oopscope.linux.module import in_text
from oopscope.machine.common.chain import ChainUnwinder
from oopscope.machine.common.walk import EndError, StopError
from oopscope.machine.s390x.arch import GENERAL

OVERHEAD = 160  # STACK_FRAME_OVERHEAD
PROBLEM_STATE = 1 << 48  # of the PSW: a program ran
R14 = 8 * 8  # into stack_frame.gprs, which begin with r6
MAX_PROLOGUE = 64 << 10
LINK_MASK = (1 << 63) - 1
# The stacks of struct lowcore, and what runs on them.
LOWCORE: tuple[tuple[str, FrameKind], ...] = (
    ("async_stack", "irq"),
    ("mcck_stack", "nmi"),
    ("nodat_stack", "exception"),
    ("restart_stack", "exception"),
)


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell by the PSW's problem state whether a CPU ran a program."""
    return bool(registers.get("psw_mask", 0) & PROBLEM_STATE)


def registers_at(kernel: Kernel, address: int) -> dict[str, int]:
    """Return the registers of a struct pt_regs."""
    psw, gprs = (kernel.types.member("pt_regs", name).offset for name in ("psw", "gprs"))
    words = (*kernel.memory.words(address + psw, 2), *kernel.memory.words(address + gprs, 16))
    return dict(zip(GENERAL, words, strict=True))


def frame_layout(kernel: Kernel) -> tuple[int, int]:
    """Return where a stack_frame has its back chain and its registers, in bytes."""
    types = kernel.types
    return types.member("stack_frame", "back_chain").offset, types.member("stack_frame", "gprs").offset


def has_frame(kernel: Kernel, function: int, pc: int) -> bool:
    """Tell whether a function has made its frame by the time that it is at pc: r15 is lowered, not loaded again."""
    if not 0 <= pc - function <= MAX_PROLOGUE:
        return True
    try:
        code = kernel.memory.read(function, pc - function)
    except OopscopeError:
        return True
    made, now, at = False, False, 0
    while at + 2 <= len(code):
        (half,) = struct.unpack_from(">H", code, at)
        size = (2, 4, 4, 6)[half >> 14]
        last = code[at + size - 1] if at + size <= len(code) else 0
        if half == 0xA7FB or (half & 0xFFF0 == 0xE3F0 and last == 0x71):  # aghi %r15,n; lay %r15,n(%r15)
            made = now = True
        elif half & 0xFF0F == 0xEB0F and last == 0x04:  # lmg %rN,%r15,n(%r15)
            now = False
        elif half in (0x07FE, 0xC0F4):  # br %r14; jg
            now = made
        at += size
    return now


class Unwinder(ChainUnwinder):
    """Unwinds one stack of one kernel."""

    entries: tuple[tuple[str, FrameKind], ...] = (
        ("system_call|svc_handler|ret_from_fork|__ret_from_fork|kernel_thread_starter", "syscall"),
        ("pgm_check_handler|pgm_check_table", "exception"),
        ("io_int_handler|ext_int_handler", "irq"),
        ("mcck_int_handler|restart_int_handler", "nmi"),
    )

    def step(self, state: State) -> State:
        """Return the caller's state: by r14 where no frame was made, by the back chain, by what an entry saved."""
        if state.signal:
            link = state.registers.get("r14", 0) & LINK_MASK
            function = self.function_at(state.pc) if in_text(self._kernel, state.pc) else None
            framed = function is not None and has_frame(self._kernel, function, state.pc)
            if not framed and in_text(self._kernel, link):
                return State(link, state.sp, state.fp, False, reliable=state.reliable)
        if state.sp % 8 or self.stack_of(state.sp) is None:
            raise StopError(f"the stack pointer {state.sp:#x} is on no stack that is known")
        chain, gprs = self._kernel.cached(frame_layout)
        caller = self._memory.word(state.sp + chain)
        if not caller:
            return self._by_registers(state)
        if caller % 8 or self.stack_of(caller) is None:
            raise StopError(f"the back chain {caller:#x} is on no stack that is known")
        address = self._memory.word(caller + gprs + R14) & LINK_MASK
        if not address:
            raise EndError
        return State(address, caller, 0, False, reliable=state.reliable)

    def _by_registers(self, state: State) -> State:
        place = state.sp + OVERHEAD
        if self.stack_of(place) is None:
            raise EndError
        found = registers_at(self._kernel, place)
        pc = found["psw_addr"] & LINK_MASK
        if not in_user(found) and not in_text(self._kernel, pc):  # of a kernel thread: it never came from a program
            raise EndError
        return State(pc, found["r15"], 0, True, found, state.reliable)


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder that may walk over some stacks, and over those of CPUs."""
    return Unwinder(kernel, stacks)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["psw_addr"] & LINK_MASK, registers["r15"], 0, True, dict(registers))


def from_sleep(kernel: Kernel, _task: int, sp: int) -> State:
    """Return the state of a task that is not running: at thread.ksp lies the frame that __switch_to() saved into."""
    _, gprs = kernel.cached(frame_layout)
    return State(kernel.memory.word(sp + gprs + R14) & LINK_MASK, sp, 0, False)


def saved_registers(kernel: Kernel, pc: int, sp: int) -> dict[str, int] | None:
    """Return what an exception's entry saved for an interrupted (pc, sp): in the frame below sp."""
    try:
        size = kernel.types.sizeof("pt_regs")
        found = registers_at(kernel, sp - size)
    except OopscopeError:
        return None
    return found if found["psw_addr"] & LINK_MASK == pc and found["r15"] == sp else None


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the stacks of each CPU that its lowcore names; a pointer there is a little below its stack's end."""
    found: dict[int, list[Stack]] = {}
    size, table = kernel.cached(thread_size), kernel.find_symbol("lowcore_ptr")
    for cpu in present_cpus(kernel) if table is not None else ():
        own = found.setdefault(cpu, [])
        try:
            lowcore = kernel.memory.word((table or 0) + 8 * cpu)
            for member, kind in LOWCORE:
                top = kernel.memory.word(lowcore + kernel.types.member("lowcore", member).offset)
                if top:
                    own.append(Stack(top & -size, (top & -size) + size, kind))
        except OopscopeError as e:
            kernel.problems.lost("cpus", f"CPU {cpu}: its lowcore")(e)
    return found
