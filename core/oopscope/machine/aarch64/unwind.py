"""Unwinding an arm64 kernel's stack by its frame records, through exceptions, to the program or the thread's start.

Follows arch/arm64/kernel/{stacktrace.c,entry.S}. x29 points at a record: the caller's x29, and the return address. An
entry saves all registers in a struct pt_regs that holds such a record as well (732674980139 "arm64: unwind: reference
pt_regs via embedded stack frame", 4.15), so that the chain goes on with what was interrupted; c2c6b27b5aa1 "arm64:
stacktrace: unwind exception boundaries" (6.14) marks it by a record of zeros and a type. An interrupted function that
has not made its record yet, or has none, returns to where x30 says.
"""

from collections.abc import Iterable, Mapping

from oopscope.errors import Absent, NoTypes, OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import in_text
from oopscope.machine.aarch64.code import has_frame
from oopscope.machine.aarch64.registers import in_user, pt_regs, registers_at, strip
from oopscope.machine.common.chain import ChainUnwinder
from oopscope.machine.common.walk import EndError, StopError

META_PT_REGS = 2  # FRAME_META_TYPE_PT_REGS
CPU_CONTEXT = ("thread.cpu_context.fp", "thread.cpu_context.pc")


def has_meta(kernel: Kernel) -> bool:
    """Tell whether this kernel's entries mark their records with a type."""
    try:
        return kernel.types.sizeof("frame_record_meta") > 0
    except (Absent, NoTypes):
        return False


class Unwinder(ChainUnwinder):
    """Unwinds one stack of one kernel."""

    entries: tuple[tuple[str, FrameKind], ...] = (
        (r"el[01][th]?(?:_64|_32)?_(?:irq|fiq)(?:_compat|_invalid)?", "irq"),  # el1h_64_irq (5.14), el1_irq before
        (r"el1[th]?(?:_64)?_(?:sync|error)(?:_invalid)?|__bad_stack", "exception"),
        (r"el0t?(?:_64|_32)?_(?:sync|error)(?:_compat|_invalid)?|ret_from_fork", "syscall"),
        (r"__sdei_asm_handler", "nmi"),
    )

    def step(self, state: State) -> State:
        """Return the caller's state, by the link register where no record was made, else by the record."""
        if state.signal:
            link = strip(self._kernel, state.registers.get("x30", 0))
            function = self.function_at(state.pc) if in_text(self._kernel, state.pc) else None
            framed = function is not None and has_frame(self._kernel, function, state.pc)
            if not framed and in_text(self._kernel, link) and link != self._recorded(state.fp):
                return State(link, state.sp, state.fp, False, reliable=state.reliable)
        return self._by_record(state)

    def _recorded(self, record: int) -> int | None:
        """Return the return address of a record: where x30 is that, the record is the function's own after all."""
        try:
            return strip(self._kernel, self._memory.word(record + 8))
        except OopscopeError:
            return None

    def _by_record(self, state: State) -> State:
        at = state.fp
        if not at:
            raise EndError
        if at % 8 or self.stack_of(at) is None:
            raise StopError(f"the frame pointer {at:#x} is on no stack that is known")
        fp, address = self._memory.words(at, 2)
        if self._is_saved(state, at, fp, address):
            return self._by_registers(at, state)
        if not fp and not address:
            raise EndError
        return State(strip(self._kernel, address), max(at, state.sp), fp, False, reliable=state.reliable)

    def _is_saved(self, state: State, at: int, fp: int, address: int) -> bool:
        """Tell whether a record is that of a struct pt_regs: by its type, or since an entry function points at it."""
        if not fp and not address:
            return True  # of a program's entry, of a thread's start, or marked by a type
        if self._kernel.cached(has_meta) or state.signal:
            return False
        function = self._kernel.name_of(state.pc - 1)
        kind = self.entry_kind(function.symbol) if function is not None else None
        return kind is not None and registers_at(self._kernel, self._place(at))["pc"] == address

    def _place(self, record: int) -> int:
        """Return where the struct pt_regs begins that a record is part of."""
        return record - self._kernel.cached(pt_regs).stackframe

    def _by_registers(self, at: int, state: State) -> State:
        """Go on with what an entry interrupted; EndError where that was nothing."""
        place = self._place(at)
        if self.stack_of(place) is None:  # the first record of a CPU
            raise EndError
        found = registers_at(self._kernel, place)
        final = not any(self._memory.words(at, 2))
        if final and self._kernel.cached(has_meta):
            final = self._memory.word(at + 16) != META_PT_REGS
        if final and not (in_user(found) and found["pc"]):  # of a kernel thread: it never came from a program
            raise EndError
        return State(found["pc"], found["sp"], found["x29"], True, found, state.reliable)


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder that may walk over some stacks, and over those of CPUs."""
    return Unwinder(kernel, stacks)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["pc"], registers["sp"], registers["x29"], True, dict(registers))


def from_sleep(kernel: Kernel, task: int, sp: int) -> State:
    """Return the state of a task that is not running: cpu_switch_to() left it in its struct cpu_context."""
    offsets = (kernel.types.member("task_struct", path).offset for path in CPU_CONTEXT)
    fp, pc = (kernel.memory.word(task + offset) for offset in offsets)
    newborn = pc == kernel.find_symbol("ret_from_fork")
    return State(strip(kernel, pc), sp, fp, newborn)
