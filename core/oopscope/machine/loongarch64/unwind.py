"""Unwinding a LoongArch kernel's stack by ORC or by how functions begin, through exceptions, to the program.

Follows arch/loongarch/kernel/{unwind_orc,unwind_prologue,process,traps}.c, entry.S and genex.S. A caller's stack
pointer is where ORC says, or above what the function's first instructions made room for; the return address lies there,
or is in ra yet. Above the frame of an entry lies the struct pt_regs of what was interrupted; from the end of an
interrupt stack its address leads there. Exceptions run copies of their handlers, which have no names: they are told by
their number.
"""

from collections.abc import Iterable, Mapping

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack, thread_size
from oopscope.linux.module import kernel_orc, orc_for
from oopscope.machine.common import saved
from oopscope.machine.common.chain import ChainUnwinder
from oopscope.machine.common.walk import EndError, StopError
from oopscope.machine.loongarch64.arch import PT_REGS
from oopscope.machine.loongarch64.prologue import frame_of
from oopscope.machine.loongarch64.stacks import SPARE
from oopscope.symbols.orc import OrcEntry

USER = 3  # of prmd: the mode that was interrupted
VECTOR, VECTORS, INTERRUPTS = 0x200, 128, 64  # bytes of a handler's copy, how many, the first of interrupts
CONTEXT = ("thread.reg01", "thread.reg22")  # ra and fp, as __switch_to() left them
ON_IRQ_STACK = "do_vint"  # which changes stacks
BEGIN = {"kernel_entry", "smpboot_entry", "start_kernel", "start_secondary", "ret_from_kernel_thread_asm"}
# Exceptions by their number (EXCCODE_*), and the functions whose copies handle them.
HANDLERS = (
    *("handle_reserved", "handle_tlb_load", "handle_tlb_store", "handle_tlb_load", "handle_tlb_modify"),
    *("handle_tlb_protect", "handle_tlb_protect", "handle_tlb_protect", "handle_ade", "handle_ale", "handle_bce"),
    *("handle_sys", "handle_bp", "handle_ri", "handle_ri", "handle_fpu", "handle_lsx", "handle_lasx", "handle_fpe"),
    *("handle_watch", "handle_lbt"),
)


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell whether a CPU ran a program: by prmd where an entry saved it, by pc in a crash note."""
    if "prmd" in registers:
        return bool(registers["prmd"] & USER)
    return not registers["pc"] >> 63


def registers_at(kernel: Kernel, address: int) -> dict[str, int]:
    """Return the registers of a struct pt_regs."""
    return dict(zip(PT_REGS, kernel.memory.words(address, len(PT_REGS)), strict=True))


def vectors(kernel: Kernel) -> tuple[int, ...]:
    """Return where copies of the handlers begin: eentry's, and those of CPUs of their own (pcpu_handlers)."""
    found = []
    try:
        symbol = kernel.find_symbol("eentry")
        if symbol is not None:
            found.append(kernel.memory.word(symbol))
        own = kernel.find_symbol("pcpu_handlers")
        if own is not None:
            count = kernel.cached(_cpus)
            found += kernel.memory.words(own, count)
    except OopscopeError as e:
        kernel.problems.lost("stacks", "the handlers of exceptions")(e)
    return tuple(base for base in found if base)


def _cpus(kernel: Kernel) -> int:
    symbol = kernel.find_symbol("nr_cpu_ids")
    return min(max(kernel.memory.u32(symbol), 1), 4096) if symbol is not None else 1


def unvectored(kernel: Kernel, address: int) -> int:
    """Return an address in the copy of a handler as one of the handler itself; any other as it is."""
    for base in kernel.cached(vectors):
        if 0 <= address - base < VECTOR * VECTORS:
            number, offset = divmod(address - base, VECTOR)
            name = "handle_vint" if number >= INTERRUPTS else HANDLERS[number] if number < len(HANDLERS) else None
            function = kernel.find_symbol(name or "handle_reserved")
            return function + offset if function is not None else address
    return address


class Unwinder(ChainUnwinder):
    """Unwinds one stack of one kernel."""

    entries: tuple[tuple[str, FrameKind], ...] = (
        ("handle_vint", "irq"),
        ("handle_sys(?:call)?", "syscall"),
        (
            r"tlb_do_page_fault_[01]|handle_(?:tlb_\w+|reserved|ade|ale|bce|bp|ri|fpu|lsx|lasx|fpe|watch|lbt)"
            r"|except_vec_cex",
            "exception",
        ),
        (r"ret_from_fork(?:_asm)?", "syscall"),
    )

    def __init__(self, kernel: Kernel, stacks: Iterable[Stack]) -> None:
        super().__init__(kernel, stacks)
        self._size = kernel.cached(thread_size)

    def step(self, state: State) -> State:
        """Return the caller's state."""
        if self._at_end(state):
            return self._interrupted(self._memory.word(state.sp), state)
        if not state.signal and self._entered(state):
            return self._interrupted(state.sp, state)
        orc = kernel_orc(self._kernel)
        if orc is None:
            return self._by_prologue(state)
        entry = (orc_for(self._kernel, state.pc) or orc).lookup(self.lookup(state))
        if entry is None or entry.type == "undefined":
            raise StopError(f"ORC does not tell the caller of {state.pc:#x}")
        return self._by_orc(state, entry)

    def lookup(self, state: State) -> int:
        """Return an address in the function that a walk stands in: of a return address, that of the call before it."""
        return state.pc if state.signal else state.pc - 4

    def _interrupted(self, address: int, state: State) -> State:
        found = registers_at(self._kernel, address)
        if not found["sp"] and not found["ra"]:  # of a kernel thread, which never came from a program
            raise EndError
        return State(found["pc"], found["sp"], found["fp"], True, found, state.reliable)

    def entered_as(self, state: State, symbol: str) -> FrameKind | None:
        """Return what came in through a function; an interrupt's last one on its own stack is do_vint()."""
        return self.entry_kind(symbol) or ("irq" if self._at_end(state) else None)

    def _at_end(self, state: State) -> bool:
        """Tell whether a walk has come to the end of an interrupt stack, which do_vint() changed to."""
        stack = self.stack_of(state.sp)
        if stack is not None and stack.kind == "irq":
            return state.sp == stack.end
        name = self._kernel.name_of(self.lookup(state)) if (state.sp + SPARE) % self._size == 0 else None
        return name is not None and name.symbol == ON_IRQ_STACK

    def _by_orc(self, state: State, entry: OrcEntry) -> State:
        if entry.end:
            raise EndError
        if entry.type == "regs":
            return self._interrupted(state.sp, state)
        sp = state.fp if entry.sp_reg == "fp" else state.sp + entry.sp_offset
        if entry.sp_reg not in ("sp", "fp"):
            raise StopError(f"ORC finds the caller of {state.pc:#x} by a register that is not known")
        self._known(sp, state)
        fp = self._memory.word(sp + entry.bp_offset) if entry.bp_reg == "prev_sp" else state.fp
        saved = self._memory.word(sp + entry.ra_offset) if entry.ra_offset is not None else None
        return self._caller(state, saved, sp, fp)

    def _caller(self, state: State, saved: int | None, sp: int, fp: int) -> State:
        """Return the caller by the return address that was saved, or by ra where none was."""
        if saved is None:
            saved = state.registers.get("ra", 0) if state.signal else 0
            if not saved:
                raise StopError(f"the return address of {state.pc:#x} was not saved")
        if not saved:
            raise EndError
        return State(unvectored(self._kernel, saved), sp, fp, False, reliable=state.reliable)

    def _known(self, sp: int, state: State) -> None:
        """Stop where a caller's stack pointer is on no stack, or below the function's own."""
        stack = self.stack_of(sp)
        if stack is None or (stack is self.stack_of(state.sp) and sp < state.sp):
            raise StopError(f"the stack pointer {sp:#x} is on no stack that is known")

    def _by_prologue(self, state: State) -> State:
        """Return the caller's state by the function's first instructions, where the kernel has no ORC tables."""
        function = self.function_at(self.lookup(state))
        if function is None:
            raise StopError(f"no function is known at {state.pc:#x}")
        frame = frame_of(self._kernel, function, state.pc, state.signal)
        sp = state.fp if frame.by_fp else state.sp + frame.size
        self._known(sp, state)
        saved = self._memory.word(sp + frame.ra) if frame.ra is not None else None
        fp = self._memory.word(sp + frame.fp) if frame.fp is not None else state.fp
        return self._caller(state, saved, sp, fp)

    def _entered(self, state: State) -> bool:
        name = self._kernel.name_of(self.lookup(state))
        if name is not None and name.symbol in BEGIN:
            raise EndError
        return name is not None and self.is_entry(name.symbol)


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder that may walk over some stacks, and over those of CPUs."""
    return Unwinder(kernel, stacks)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved.

    An interrupted instruction; a return address where that is all that is known of a note.
    """
    called = not registers.get("crmd", 0) and registers["pc"] == registers.get("ra")
    return State(registers["pc"], registers["sp"], registers["fp"], not called, dict(registers))


def from_sleep(kernel: Kernel, task: int, sp: int) -> State:
    """Return the state of a task that is not running."""
    return saved.in_thread(kernel, task, sp, CONTEXT)


def saved_registers(kernel: Kernel, pc: int, sp: int) -> dict[str, int] | None:
    """Return what an exception's entry saved for an interrupted (pc, sp), right below sp."""
    return saved.below(kernel, pc, sp, registers_at)
