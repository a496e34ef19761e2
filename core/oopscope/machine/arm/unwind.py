"""Unwinding an ARM kernel's stack by its unwind tables, through exceptions, to the program or the thread's start.

Follows arch/arm/kernel/{unwind.c,stacktrace.c,entry-armv.S,entry-common.S}. The entries from the kernel's own mode have
tables too, by which all registers of what was interrupted come back; those from a program have none: its registers lie
at the end of the task's stack. Where the tables are not to be had the stack's words are looked through.
"""

from collections.abc import Iterable, Mapping

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame, FrameKind
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text
from oopscope.machine.arm.arch import PT_REGS
from oopscope.machine.arm.tables import (
    PC,
    SP,
    NoUnwindError,
    find,
    index_of_kernel,
    indexes,
    instructions,
    undone,
)
from oopscope.machine.common.chain import ChainUnwinder
from oopscope.machine.common.scan import frame_at, scan
from oopscope.machine.common.softirq import mark_softirqs
from oopscope.machine.common.walk import EndError, StopError

MODE = 0xF  # of cpsr; 0 is a program's
MODE_BITS, IRQ_MODE = 0x1F, 0x12
TOP_SPARE = 8  # bytes at the end of a task's stack that are never used (THREAD_START_SP)
CONTEXT = (*(f"r{n}" for n in range(4, 11)), "fp", "sp", "pc")  # the first members of struct cpu_context_save
WORD = 4
FEW = 4  # frames that make a guess worth more than the words alone
BEGIN = ("secondary_start_kernel", "start_kernel")  # called by code that ran before there were page tables


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell by the mode in cpsr whether a CPU ran a program."""
    return not registers.get("cpsr", MODE) & MODE


def registers_at(kernel: Kernel, address: int) -> dict[str, int]:
    """Return the registers of a struct pt_regs."""
    return dict(zip(PT_REGS, kernel.memory.words(address, len(PT_REGS)), strict=True))


def has_tables(kernel: Kernel) -> bool:
    """Tell whether the kernel's unwind tables are to be had."""
    return kernel.cached(index_of_kernel) is not None


class Unwinder(ChainUnwinder):
    """Unwinds one stack of one kernel."""

    entries: tuple[tuple[str, FrameKind], ...] = (
        ("__irq_svc|__irq_usr", "irq"),
        ("__fiq_svc|__fiq_usr", "nmi"),
        (r"__(?:dabt|pabt|und)_(?:svc|usr)|__und_svc_\w+", "exception"),
        (r"ret_fast_syscall|vector_swi|ret_slow_syscall|__sys_trace\w*|ret_from_fork", "syscall"),
    )

    def frames(self, start: State) -> list[Frame]:
        """Return the frames from the innermost outwards."""
        own = self.stack_of(start.sp)
        if own is not None and has_tables(self._kernel):
            return super().frames(start)
        stack = own or self._stacks[0]  # at a vector the stack is that of the processor's mode
        first = frame_at(self._kernel, start.pc, start.sp, reliable=True, called=not start.signal)
        if own is None and has_tables(self._kernel):
            found = self._found_by_irq(start)
            return [first, *found, *self._likeliest(stack, found[0].symbol if found else None)]
        return [first, *scan(self._kernel, start.sp if own is not None else stack.start, stack)]

    def _found_by_irq(self, start: State) -> list[Frame]:
        """Return where an interrupt found a CPU that stands at its vector: lr has that, but no register its stack."""
        found = start.registers.get("lr", 0) - WORD
        if start.registers.get("cpsr", 0) & MODE_BITS != IRQ_MODE or not in_text(self._kernel, found):
            return []
        return [frame_at(self._kernel, found, start.sp, reliable=False, called=False)]

    def _likeliest(self, stack: Stack, callee: str | None) -> list[Frame]:
        """Return a stack by the lowest return address from which the tables lead to its end; below it may be old.

        callee: the function that was called there, where that is known.
        """
        found = list(scan(self._kernel, stack.start, stack))
        calls = [frame for frame in found if callee is None or self._may_call(frame.address, callee)]
        for frame in calls or found:
            self.problem = None
            frames = list(self.walk(State(frame.address, frame.sp + WORD, 0, False, reliable=False)))
            if self.problem is None and len(frames) >= FEW:
                return mark_softirqs(frames, self.is_entry)
        self.problem = None
        return found

    def _may_call(self, address: int, callee: str) -> bool:
        """Tell whether the call before an address may be of a function: an indirect one, or its own."""
        target = self._kernel.machine.call_target(self._kernel, address)
        name = self._kernel.name_of(target) if target is not None else None
        return target is None or (name is not None and name.symbol == callee)

    def lookup(self, state: State) -> int:
        """Return an address in the function that a walk stands in; a system call returns to an entry's first byte."""
        name = self._kernel.name_of(state.pc)
        enters = name is not None and not name.offset and self.entry_kind(name.symbol) == "syscall"
        return state.pc if enters or state.signal else state.pc - WORD

    def step(self, state: State) -> State:
        """Return the caller's state by the tables; where they end, what an entry from a program saved."""
        memory, registers = self._memory, dict(state.registers)
        function = self.function_at(self.lookup(state))
        link = registers.get("lr", 0)
        if state.signal and function == state.pc and in_text(self._kernel, link):  # nothing has been saved yet
            return State(link, state.sp, state.fp, False, registers, state.reliable)
        lookup = self.lookup(state)
        try:
            code = self._instructions(lookup)
            numbered = {number: registers[name] for number, name in enumerate(PT_REGS[:PC]) if name in registers}
            found = undone(code, numbered | {SP: state.sp, 11: state.fp}, memory.word)
        except NoUnwindError:
            return self._entered(state)
        pc, name = found.pop(PC), self._kernel.name_of(lookup)
        kept = {PT_REGS[number]: value for number, value in found.items()}
        signal = name is not None and self.entry_kind(name.symbol) in ("irq", "exception", "nmi")
        if not pc or (name is not None and name.symbol in BEGIN):
            raise EndError
        if not signal:
            kept.pop("lr", None)
            if pc == state.pc and found[SP] == state.sp:
                raise StopError(f"{pc:#x} returns to itself")
        return State(pc, found[SP], found.get(11, 0), signal, kept, state.reliable)

    def _instructions(self, pc: int) -> bytes:
        own = self._kernel.cached(index_of_kernel)
        bounds = next(((start, end) for code, start, end in self._kernel.cached(indexes) if pc in code), own)
        place = find(self._memory.word, *bounds, pc) if bounds is not None else None
        if place is None:
            raise NoUnwindError
        return instructions(self._memory.word, place)

    def _entered(self, state: State) -> State:
        """Go on with the program that a task's stack was entered from; EndError where there is none."""
        stack = self.stack_of(state.sp)
        name = self._kernel.name_of(self.lookup(state))
        if stack is None or stack.kind != "task" or name is None or self.entry_kind(name.symbol) is None:
            raise EndError
        found = registers_at(self._kernel, stack.end - TOP_SPARE - WORD * len(PT_REGS))
        if not in_user(found) or not found["pc"]:  # of a kernel thread, which never came from a program
            raise EndError
        return State(found["pc"], found["sp"], found["fp"], True, found, state.reliable)


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder that may walk over some stacks, and over those of CPUs."""
    return Unwinder(kernel, stacks)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["pc"], registers["sp"], registers["fp"], True, dict(registers))


def from_sleep(kernel: Kernel, task: int, sp: int) -> State:
    """Return the state of a task that is not running: __switch_to() left it in its struct thread_info.

    That is part of the task since 18ed1c01a7dd "ARM: smp: Enable THREAD_INFO_IN_TASK", 5.16; before, it lies at its
    stack's lowest address.
    """
    memory, types = kernel.memory, kernel.types
    base = task
    if types.has_member("task_struct", "thread_info"):
        base += types.member("task_struct", "thread_info").offset
    else:
        base = memory.word(task + types.member("task_struct", "stack").offset)
    words = memory.words(base + types.member("thread_info", "cpu_context").offset, len(CONTEXT))
    saved = dict(zip(CONTEXT, words, strict=True))
    pc, sp = saved.pop("pc"), saved.pop("sp") or sp
    return State(pc, sp, saved["fp"], False, saved)


def saved_registers(kernel: Kernel, pc: int, sp: int) -> dict[str, int] | None:
    """Return what an exception's entry saved for an interrupted (pc, sp): below sp, which is kept aligned to 8."""
    for place in (sp - WORD * len(PT_REGS) - spare for spare in (0, 4, 8, 12, 16, 20)):
        try:
            found = registers_at(kernel, place)
        except OopscopeError:
            return None
        if found["pc"] == pc and found["sp"] == sp:
            return found
    return None
