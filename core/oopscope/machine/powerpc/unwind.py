"""Unwinding a ppc64 kernel's stack by its back chain, through exceptions, to the program or the thread's start.

Follows arch/powerpc/kernel/{stacktrace,process}.c and arch/powerpc/include/asm/ptrace.h. gpr1 points at a frame: the
back chain, and at 16 (of the caller's frame) where the function returns to. The frame of an entry is marked, and holds
a struct pt_regs; both have moved in 6.2.
"""

from collections.abc import Iterable, Mapping

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import FrameKind
from oopscope.kernel.kernel import Kernel, present_cpus
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack, thread_size
from oopscope.linux.module import in_text
from oopscope.machine.common.chain import ChainUnwinder
from oopscope.machine.common.walk import EndError, StopError
from oopscope.machine.powerpc.arch import GENERAL

LR_SAVE = 16  # into a frame
# STACK_FRAME_REGS_MARKER: "REGS" (17773afdcd15 "powerpc/64: use 32-bit immediate for STACK_FRAME_REGS_MARKER", 6.2),
# "regshere" before. The smallest frame is of 32 bytes (ELF ABI v2) or 112, before 6.2 of 96 wherever regs are.
REGS_MARKERS = (0x53474552, 0x52454753, 0x7265677368657265)  # the first little-endian, the second big-endian
MARKS = ((32, 48), (96, 112), (112, 128))  # where the marker is in a frame, and the struct pt_regs
PROBLEM_STATE = 1 << 14  # MSR_PR: a program ran
# Per-CPU structs that the paca points at, and what runs on the stacks there.
PACA_STACKS: tuple[tuple[str, FrameKind], ...] = (
    ("emergency_sp", "exception"),
    ("nmi_emergency_sp", "nmi"),
    ("mc_emergency_sp", "nmi"),
)
MAX_FRAME = 1024  # bytes of an entry's frame, at the most
IRQ_STACKS = ("hardirq_ctx", "softirq_ctx")


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell by MSR's problem state whether a CPU ran a program."""
    return bool(registers.get("msr", 0) & PROBLEM_STATE)


def registers_at(kernel: Kernel, address: int) -> dict[str, int]:
    """Return the registers of a struct pt_regs, which has those of a crash note in its order."""
    return dict(zip(GENERAL, kernel.memory.words(address, len(GENERAL)), strict=True))


class Unwinder(ChainUnwinder):
    """Unwinds one stack of one kernel."""

    entries: tuple[tuple[str, FrameKind], ...] = (
        (r"system_call_\w*common\w*|ret_from_\w*fork\w*|ret_from_kernel_\w+|start_kernel_thread", "syscall"),
        (
            r"(?:exc_(?:virt|real)_0x\w+_)?(?:hardware_interrupt|decrementer|doorbell_super|h_doorbell|h_virt_irq"
            r"|performance_monitor)(?:_common\w*)?",
            "irq",
        ),
        (r"(?:system_reset|machine_check)_common\w*", "nmi"),
        (
            r"(?:data_access|instruction_access|program_check|alignment|\w+_unavailable|emulation_assist)\w*common\w*",
            "exception",
        ),
    )

    def step(self, state: State) -> State:
        """Return the caller's state: of an entry's frame what it saved, else by the back chain."""
        sp = state.sp
        if sp % 8 or self.stack_of(sp) is None:
            raise StopError(f"the stack pointer {sp:#x} is on no stack that is known")
        if not state.signal:
            saved = self._saved(sp)
            if saved is not None:
                return State(saved["nip"], saved["gpr1"], 0, True, saved, state.reliable)
        caller = self._memory.word(sp)
        if not caller:
            raise EndError
        if caller % 8 or self.stack_of(caller) is None:
            raise StopError(f"the back chain {caller:#x} is on no stack that is known")
        address = self._memory.word(caller + LR_SAVE)
        link = state.registers.get("link", 0) if state.signal else 0
        if link and link != address and in_text(self._kernel, link) and not self._saves(state.pc, link):
            return State(link, sp, 0, False, reliable=state.reliable)
        if not address:
            raise EndError
        return State(address, caller, 0, False, reliable=state.reliable)

    def _saves(self, pc: int, link: int) -> bool:
        """Tell whether a function has called by the time that it is at pc: then link is where that call returns to."""
        return self.function_at(pc) == self.function_at(link)

    def _saved(self, sp: int) -> dict[str, int] | None:
        for mark, regs in MARKS:
            if self._memory.word(sp + mark) in REGS_MARKERS:
                return registers_at(self._kernel, sp + regs)
        return None


def unwinder(kernel: Kernel, stacks: Iterable[Stack]) -> Unwinder:
    """Make an unwinder that may walk over some stacks, and over those of CPUs."""
    return Unwinder(kernel, stacks)


def from_registers(registers: Mapping[str, int]) -> State:
    """Return the state of a CPU whose registers were saved: an interrupted instruction."""
    return State(registers["nip"], registers["gpr1"], 0, True, dict(registers))


def from_sleep(kernel: Kernel, _task: int, sp: int) -> State:
    """Return the state of a task that is not running: at thread.ksp lies the frame of _switch()."""
    caller = kernel.memory.word(sp)
    return State(kernel.memory.word(caller + LR_SAVE), caller, 0, False)


def saved_registers(kernel: Kernel, pc: int, sp: int) -> dict[str, int] | None:
    """Return what an exception's entry saved for an interrupted (pc, sp): in its frame, some way below sp."""
    first = sp - MAX_FRAME
    try:
        words = kernel.memory.words(first, MAX_FRAME // 8)
    except OopscopeError:
        return None
    for at in (first + 8 * i for i, word in enumerate(words) if word in REGS_MARKERS):
        for mark, regs in MARKS:
            try:
                found = registers_at(kernel, at - mark + regs)
            except OopscopeError:
                continue
            if found["nip"] == pc and found["gpr1"] == sp:
                return found
    return None


def stacks_by_cpu(kernel: Kernel) -> dict[int, list[Stack]]:
    """Return the interrupt and emergency stacks of each CPU that can be found."""
    found: dict[int, list[Stack]] = {}
    size = kernel.cached(thread_size)
    for cpu in present_cpus(kernel):
        own = found.setdefault(cpu, [])
        try:
            for symbol in IRQ_STACKS:
                if kernel.find_symbol(symbol) is not None:
                    base = kernel.memory.word(kernel.symbol(symbol) + 8 * cpu)
                    own += [Stack(base, base + size, "irq")] if base else []
            own += _of_paca(kernel, cpu, size)
        except OopscopeError as e:
            kernel.problems.lost("cpus", f"CPU {cpu}: its stacks")(e)
    return found


def _of_paca(kernel: Kernel, cpu: int, size: int) -> list[Stack]:
    """Return the stacks that a CPU's paca names by their ends."""
    table = kernel.find_symbol("paca_ptrs")
    if table is None:
        return []
    paca = kernel.memory.word(kernel.memory.word(table) + 8 * cpu)
    found = []
    for member, kind in PACA_STACKS:
        if kernel.types.has_member("paca_struct", member):
            end = kernel.memory.word(paca + kernel.types.member("paca_struct", member).offset)
            found += [Stack(end - size, end, kind)] if end else []
    return found
