"""Unwinding a riscv64 kernel's stack by frame pointers, through exceptions, to the program or the thread's start.

Follows arch/riscv/kernel/{stacktrace.c,entry.S}. s0 points above a frame whose last two words are the caller's s0 and
the return address. Above the frame that handle_exception called lies the struct pt_regs of what was interrupted.
"""

import struct
from collections.abc import Iterable, Mapping

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack, thread_size
from oopscope.linux.module import in_text
from oopscope.machine.common import saved
from oopscope.machine.common.chain import ChainUnwinder
from oopscope.machine.common.walk import EndError, StopError
from oopscope.machine.riscv64.arch import GENERAL

OVERFLOW_STACK_SIZE = 4096
INTERRUPT, SYSTEM_CALL = 1 << 63, 8  # scause: of an interrupt, and of a program's system call
SPP = 1 << 8  # of sstatus: what was interrupted ran in the kernel
MAX_PROLOGUE = 64 << 10
CONTEXT = ("thread.ra", "thread.s")
BEGIN = {"_start_kernel", "secondary_start_sbi", "secondary_start_common"}  # of head.S, where CPUs begin


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell whether a CPU ran a program: by sstatus where an entry saved it, by pc in a crash note, which has none."""
    if "status" in registers:
        return not registers["status"] & SPP
    return not registers["pc"] >> 63


def registers_at(kernel: Kernel, address: int) -> dict[str, int]:
    """Return the registers of a struct pt_regs: those of a crash note in its order, and sstatus, stval, scause."""
    names = (*GENERAL, "status", "badaddr", "cause")
    return dict(zip(names, kernel.memory.words(address, len(names)), strict=True))


def has_frame(kernel: Kernel, function: int, pc: int) -> bool:
    """Tell whether a function has made its frame by the time that it is at pc: s0 is set, and not loaded again."""
    if not 0 <= pc - function <= MAX_PROLOGUE:
        return True
    try:
        code = kernel.memory.read(function, (pc - function) & -2)
    except OopscopeError:
        return True
    made, now, at = False, False, 0
    while at + 2 <= len(code):
        (half,) = struct.unpack_from("<H", code, at)
        wide = half & 3 == 3
        word = struct.unpack_from("<I", code, at)[0] if wide and at + 4 <= len(code) else 0
        if word & 0xFFFFF == 0x10413 or (not wide and half & 0xE01F == 0 and half):  # addi s0, sp, n
            made = now = True
        elif not wide and half & 0xEF83 == 0x6402:  # ld s0, n(sp)
            now = False
        elif not wide and (half == 0x8082 or half & 0xE003 == 0xA001):  # ret; j
            now = made
        at += 4 if wide else 2
    return now


class Unwinder(ChainUnwinder):
    """Unwinds one stack of one kernel."""

    entries: tuple[tuple[str, FrameKind], ...] = (
        ("handle_exception|ret_from_exception|handle_kernel_stack_overflow", "exception"),
        (r"ret_from_fork\w*|ret_from_kernel_thread", "syscall"),
    )

    def entered_as(self, state: State, symbol: str) -> FrameKind | None:
        """Return what came in: all does by handle_exception, and scause tells an interrupt and a system call."""
        kind = self.entry_kind(symbol)
        if kind != "exception" or state.signal:
            return kind
        try:
            cause = registers_at(self._kernel, state.sp)["cause"]
        except OopscopeError:
            return kind
        return "irq" if cause & INTERRUPT else "syscall" if cause == SYSTEM_CALL else kind

    def step(self, state: State) -> State:
        """Return the caller's state: by the registers of an entry, by ra where no frame was made, else by the frame."""
        if not state.signal and self._entered(state):
            found = registers_at(self._kernel, state.sp)
            return State(found["pc"], found["sp"], found["s0"], True, found, state.reliable)
        if state.signal:
            link = state.registers.get("ra", 0)
            function = self.function_at(state.pc) if in_text(self._kernel, state.pc) else None
            framed = function is not None and has_frame(self._kernel, function, state.pc)
            if not framed and in_text(self._kernel, link) and link != self._recorded(state.fp):
                return State(link, state.sp, state.fp, False, reliable=state.reliable)
        if not state.fp:
            raise EndError
        if state.fp % 8 or self.stack_of(state.fp - 16) is None:
            raise StopError(f"the frame pointer {state.fp:#x} is on no stack that is known")
        fp, address = self._memory.words(state.fp - 16, 2)
        if not address:
            raise EndError
        return State(address, state.fp, fp, False, reliable=state.reliable)

    def _recorded(self, fp: int) -> int | None:
        """Return the return address of the frame at s0: where ra is that, the frame is the function's own."""
        try:
            return self._memory.word(fp - 8)
        except OopscopeError:
            return None

    def _entered(self, state: State) -> bool:
        name = self._kernel.name_of(state.pc - 1)
        if name is not None and name.symbol in BEGIN:
            raise EndError
        kind = self.entry_kind(name.symbol) if name is not None else None
        if kind == "syscall" and name is not None and name.symbol.startswith("ret_from_fork"):
            found = registers_at(self._kernel, state.sp)
            if not (in_user(found) and found["pc"]):  # of a kernel thread, which never came from a program
                raise EndError
            return True
        return kind is not None


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder that may walk over some stacks, and over those of CPUs."""
    return Unwinder(kernel, stacks)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["pc"], registers["sp"], registers["s0"], True, dict(registers))


def from_sleep(kernel: Kernel, task: int, sp: int) -> State:
    """Return the state of a task that is not running."""
    return saved.in_thread(kernel, task, sp, CONTEXT)


def saved_registers(kernel: Kernel, pc: int, sp: int) -> dict[str, int] | None:
    """Return what an exception's entry saved for an interrupted (pc, sp), right below sp."""
    return saved.below(kernel, pc, sp, registers_at)


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the interrupt stacks and overflow stacks of each CPU that can be found.

    Interrupt stacks came with 163e76cc6ef4 "riscv: stack: Support HAVE_IRQ_EXIT_ON_IRQ_STACK", 6.5.
    """
    found: dict[int, list[Stack]] = {}
    for cpu in present_cpus(kernel):
        own = found.setdefault(cpu, [])
        try:
            if kernel.find_symbol("irq_stack_ptr") is not None:
                base = kernel.memory.word(kernel.per_cpu("irq_stack_ptr", cpu))
                own.append(Stack(base, base + kernel.cached(thread_size), "irq"))
            if kernel.find_symbol("overflow_stack") is not None:
                base = kernel.per_cpu("overflow_stack", cpu)
                own.append(Stack(base, base + OVERFLOW_STACK_SIZE, "exception"))
        except OopscopeError as e:
            kernel.problems.lost("cpus", f"CPU {cpu}: its stacks")(e)
    return found
