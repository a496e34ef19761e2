"""Stacks made word by word, the code around them, and unwinding tables by hand: what tests of the unwinder stand on."""

from typing import Any

from core.kernel.fakes import FakeKernel, FakeTypes, Ram
from oopscope.kernel.frame import Frame
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux import module as modules
from oopscope.linux.module import ModuleMap, module_map
from oopscope.machine.x86_64.entry_frames import PT_REGS
from oopscope.machine.x86_64.stacks import cpu_stacks
from oopscope.machine.x86_64.unwind import Unwinder
from oopscope.symbols.orc import OrcEntry

TEXT = 0xFFFFFFFF81000000
# A function every 0x1000 bytes of text, in this order.
FUNCTIONS = (
    *("leaf", "middle", "outer", "kthread", "ret_from_fork", "asm_exc_page_fault", "asm_common_interrupt"),
    *("entry_SYSCALL_64", "__crash_kexec", "handle_softirqs", "handle_irq", "asm_exc_nmi", "machine_kexec"),
)
AT = {name: TEXT + 0x1000 * (i + 1) for i, name in enumerate(FUNCTIONS)}
TASK = Stack(0xFFFFC90000010000, 0xFFFFC90000014000, "task")
IRQ = Stack(0xFFFFC90000100000, 0xFFFFC90000104000, "irq")
NMI = Stack(0xFFFFFE0000003000, 0xFFFFFE0000005000, "nmi")
WILD = 0xFFFFC90099999000


def entry(
    sp: str = "sp", offset: int = 8, bp: str = "undefined", bp_offset: int = 0, type_: str = "call", **more: bool
) -> OrcEntry:
    facts = {"signal": type_ != "call", "end": False, **more}
    return OrcEntry(sp, offset, bp, bp_offset, type_, **facts)


END = entry("undefined", 0, type_="end_of_stack", end=True)
UNDESCRIBED = entry("undefined", 0, type_="undefined")


class Orc:
    """Unwinding tables: one entry for the whole of a function."""

    def __init__(self, **entries: OrcEntry) -> None:
        self.entries, self.asked = entries, []  # type: ignore[var-annotated]

    def lookup(self, address: int) -> Any:
        self.asked.append(address)
        name = next((n for n, at in AT.items() if at <= address < at + 0x1000), None)
        return self.entries.get(name)


class FakeModule:
    """A module's place and its own tables."""

    def __init__(self, start: int, size: int, orc: Any) -> None:
        self.regions, self.orc, self.symbols = [modules.Region(start, size)], orc, None


def kernel(
    ram: Ram,
    orc: Orc | None = None,
    loaded: list[FakeModule] | tuple[()] = (),
    types: FakeTypes | None = None,
    **symbols: int,
) -> FakeKernel:
    places = {"_stext": TEXT, "_etext": TEXT + 0x100000, **AT, **symbols}
    if orc is not None:
        places["__start_orc_unwind"] = 0xFFFFFFFF82000000
    known = {module_map: ModuleMap(list(loaded)), cpu_stacks: [IRQ, NMI], modules._kernel_orc: orc}
    return FakeKernel(ram, places, known, types)


def unwind(found: FakeKernel, start: State, stacks: tuple[Stack] = (TASK,)) -> tuple[list[Frame], str | None]:
    unwinder = Unwinder(found, stacks)
    return unwinder.frames(start), unwinder.problem


def names(frames: list[Frame]) -> list[str | None]:
    return [f.symbol for f in frames]


def ret(name: str, offset: int = 0x20) -> int:
    """A return address in a function."""
    return AT[name] + offset


def state(name: str, sp: int, bp: int = 0, offset: int = 0x10) -> State:
    return State(AT[name] + offset, sp, bp, True)


def registers(**values: int) -> list[int]:
    return [values.get(name, 0) for name in PT_REGS]


SP = TASK.start + 0x3000


CALL = 0xE8


def put_call(ram: Ram, return_address: int, target: int) -> None:
    """Write a direct call that returns there."""
    ram.put(return_address - 5, bytes([CALL]) + ((target - return_address) & 0xFFFFFFFF).to_bytes(4, "little"))
