"""ARM's unwinder on stacks made word by word: calls, an exception, a system call, a CPU at an exception vector."""

from typing import Any

from core.kernel.fakes import FakeKernel, Ram
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import ModuleMap, module_map
from oopscope.machine.arm.machine import MACHINE
from oopscope.machine.arm.tables import CANNOT_UNWIND, index_of_kernel, indexes
from oopscope.machine.arm.unwind import from_registers, unwinder
from oopscope.symbols.vmcoreinfo import VmcoreInfo

TEXT, INDEX = 0xC0400000, 0xC0900000
LEAF, SAVES_R4_LR = 0x80B0B0B0, 0x80A8B0B0  # nothing; pop {r4, lr}
NAMES = {
    "ret_fast_syscall": CANNOT_UNWIND,
    "ret_from_fork": CANNOT_UNWIND,
    "__irq_svc": 0,  # what undoes it is longer than fits into the index
    "leaf": LEAF,
    "middle": SAVES_R4_LR,
    "outer": SAVES_R4_LR,
    "secondary_start_kernel": SAVES_R4_LR,
}
AT = {name: TEXT + 0x1000 * i for i, name in enumerate(NAMES)}
TASK = Stack(0xE0010000, 0xE0012000, "task")
IRQ = Stack(0xE0020000, 0xE0022000, "irq")
USER, SVC, IRQ_MODE = 0x10, 0x13, 0x12
BL = 0xEB000000


def kernel(ram: Ram) -> FakeKernel:
    """Return a kernel with an index of all functions; the entry's instructions are more than fit into it."""
    ends = {"__start_unwind_idx": INDEX, "__stop_unwind_idx": INDEX + 8 * len(NAMES)}
    for at, (name, undo) in enumerate(NAMES.items()):
        place = INDEX + 8 * at
        if name == "__irq_svc":
            ram.words(INDEX + 0x800, 0x8101B10F, 0x8FFFB0B0)
            undo = INDEX + 0x800 - place - 4
        ram.words(place, AT[name] - place & 0x7FFFFFFF, undo)
    known: dict[Any, Any] = {
        module_map: ModuleMap([]),
        MACHINE.stacks_by_cpu: {0: [IRQ]},
        index_of_kernel: (INDEX, INDEX + 8 * len(NAMES)),
        indexes: [],
    }
    found = FakeKernel(ram, {"_stext": TEXT, "_etext": TEXT + 0x100000, **AT, **ends}, known)
    found.machine = MACHINE
    found.info = VmcoreInfo({"SYMBOL(swapper_pg_dir)": "c0004000", "SYMBOL(_stext)": f"{TEXT:x}"})  # type: ignore[attr-defined]
    return found


def ret(name: str, offset: int = 0x20) -> int:
    return AT[name] + offset


def walked(found: FakeKernel, start: State) -> tuple[list[str], str | None, list[bool]]:
    made = unwinder(found, [TASK])
    frames = made.frames(start)
    return [f.symbol or f.kind for f in frames], made.problem, [f.reliable for f in frames]


def program(ram: Ram) -> None:
    """Write what a system call saved, at the end of the task's stack."""
    ram.words(TASK.end - 8 - 72, *range(13), 0xBEF00000, 0, 0x11166, USER, 0)


def test_calls_lead_to_the_program() -> None:
    ram, sp = Ram(word=4), TASK.start + 0x1000
    ram.words(sp, 4, ret("outer"), 4, AT["ret_fast_syscall"])  # which a system call returns to, its first byte
    program(ram)
    found = walked(kernel(ram), State(ret("middle"), sp, 0, False, {"r4": 1}))
    assert found == (["middle", "outer", "ret_fast_syscall", "user"], None, [True] * 4)


def test_a_kernel_thread_ends_where_it_began() -> None:
    ram, sp = Ram(word=4), TASK.start + 0x1000
    ram.words(sp, 4, AT["ret_from_fork"])
    ram.words(TASK.end - 8 - 72, *[0] * 16, SVC, 0)
    assert walked(kernel(ram), State(ret("outer"), sp, 0, False))[:2] == (["outer", "ret_from_fork"], None)


def test_an_interrupt_gives_back_all_registers_of_what_it_found() -> None:
    """A leaf was interrupted: its lr, which the entry saved, is its caller's."""
    ram, sp = Ram(word=4), TASK.start + 0x1000
    under = sp + 0x100
    ram.words(sp, *range(13), under, ret("outer"), ret("leaf", 8), SVC, 0)
    ram.words(under, 4, AT["ret_fast_syscall"])
    program(ram)
    found = walked(kernel(ram), State(ret("__irq_svc"), sp, 0, False))
    assert found[:2] == (["__irq_svc", "leaf", "outer", "ret_fast_syscall", "user"], None)


def test_a_function_that_just_began_returns_by_lr() -> None:
    ram, sp = Ram(word=4), TASK.start + 0x1000
    ram.words(sp, 4, AT["ret_fast_syscall"])
    program(ram)
    start = from_registers({"pc": AT["middle"], "sp": sp, "fp": 0, "lr": ret("outer"), "cpsr": SVC})
    assert walked(kernel(ram), start)[0] == ["middle", "outer", "ret_fast_syscall", "user"]


def test_a_cpu_begins_in_code_that_ran_before_there_were_page_tables() -> None:
    ram, sp = Ram(word=4), TASK.start + 0x1000
    ram.words(sp, 4, 0x40401878)
    assert walked(kernel(ram), State(ret("secondary_start_kernel"), sp, 0, False))[:2] == (
        ["secondary_start_kernel"],
        None,
    )


def test_at_a_vector_the_stack_is_guessed_whole() -> None:
    """The stack pointer is that of the interrupt mode; the lowest return address that leads to the end is taken."""
    ram, sp = Ram(word=4), TASK.start + 0x1000
    for name in NAMES:
        ram.words(ret(name) - 4, BL | (AT["leaf"] - ret(name) - 4 >> 2 & 0xFFFFFF))
    ram.words(TASK.start, *[0] * 0x7E0)
    ram.words(sp - 0x40, ret("middle"), 0x1234, 0x5678)  # left over: it leads nowhere
    ram.words(sp, 4, ret("middle"), 4, ret("outer"), 4, ret("middle"), 4, AT["ret_fast_syscall"])
    program(ram)
    start = from_registers({"pc": 0xFFFF0018, "sp": 0xC1A00000, "fp": 0, "lr": 0, "cpsr": IRQ_MODE})
    symbols, problem, reliable = walked(kernel(ram), start)
    assert (symbols, problem) == (["task", "middle", "outer", "middle", "ret_fast_syscall", "user"], None)
    assert reliable == [True, False, False, False, False, True]


def test_where_an_interrupt_found_it_what_was_left_over_of_other_calls_is_passed_by() -> None:
    """lr is of the interrupt's mode: it tells the function that was interrupted, and so whom its caller called."""
    ram, sp = Ram(word=4), TASK.start + 0x1000
    for name, called in (("middle", "outer"), ("outer", "leaf")):
        ram.words(ret(name) - 4, BL | (AT[called] - ret(name) - 4 >> 2 & 0xFFFFFF))
    ram.words(TASK.start, *[0] * 0x7E0)
    ram.words(sp - 0x10, ret("middle"), 4)  # left over of another call: it leads to the end as well
    ram.words(sp, ret("outer"), 4, ret("middle"), 4, ret("middle"), 4, ret("middle"), 4, AT["ret_fast_syscall"])
    ram.words(sp - 0x8, 4, ret("outer"))
    program(ram)
    start = from_registers({"pc": 0xFFFF0018, "sp": 0xC1A00000, "fp": 0, "lr": AT["leaf"] + 0xC, "cpsr": IRQ_MODE})
    symbols, problem, reliable = walked(kernel(ram), start)
    assert (symbols[:3], problem) == (["task", "leaf", "outer"], None)
    assert symbols[-2:] == ["ret_fast_syscall", "user"] and not any(reliable[1:-1])
