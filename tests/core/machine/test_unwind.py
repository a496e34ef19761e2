"""Unwinding by the kernel's own tables: calls, entries, switches of stacks, and everything that stops the walk."""

import pytest

from core.kernel.fakes import Ram
from core.kernel.made import (
    AT,
    END,
    IRQ,
    SP,
    TASK,
    WILD,
    FakeModule,
    Orc,
    entry,
    kernel,
    names,
    registers,
    ret,
    state,
    unwind,
)
from oopscope.kernel.frame import Frame
from oopscope.kernel.machine import State
from oopscope.machine.common.x86_entries import boundary
from oopscope.machine.x86_64 import unwind as x86
from oopscope.symbols.orc import OrcEntry


class TestTables:
    def test_calls_to_the_end_of_the_stack(self) -> None:
        ram = Ram()
        ram.words(SP, ret("middle"), 1, 2, ret("outer"), 3, ret("ret_from_fork"))
        orc = Orc(leaf=entry(), middle=entry(offset=24), outer=entry(offset=16), ret_from_fork=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert problem is None
        assert frames == [
            Frame(AT["leaf"] + 0x10, "leaf", 0x10, None, "task", True, SP),
            Frame(ret("middle"), "middle", 0x20, None, "task", True, SP + 8),
            Frame(ret("outer"), "outer", 0x20, None, "task", True, SP + 32),
            Frame(ret("ret_from_fork"), "ret_from_fork", 0x20, None, "task", True, SP + 48),
        ]

    def test_a_return_address_is_looked_up_where_the_call_is(self) -> None:
        """A call that is a function's last instruction returns to the next function; an interrupted pc is its own."""
        ram = Ram()
        ram.words(SP, AT["outer"])  # the call stands at the end of `middle`
        orc = Orc(leaf=entry(), middle=END)
        frames, _ = unwind(kernel(ram, orc), State(AT["leaf"], SP, 0, True))
        assert [str(f) for f in frames] == ["leaf+0x0", "middle+0x1000"]
        assert orc.asked == [AT["leaf"], AT["outer"] - 1]

    def test_rbp_is_saved_and_used(self) -> None:
        ram = Ram()
        ram.words(SP, SP + 0x100, ret("middle"))  # pushed rbp, return address
        ram.words(SP + 0x100, SP + 0x200, ret("outer"))
        orc = Orc(
            leaf=entry(offset=16, bp="prev_sp", bp_offset=-16),
            middle=entry("bp", 16, bp="prev_sp", bp_offset=-16),
            outer=entry("bp", 8),
            ret_from_fork=END,
        )
        ram.words(SP + 0x200, ret("ret_from_fork"))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP, bp=0x1234))
        assert (names(frames), problem) == (["leaf", "middle", "outer", "ret_from_fork"], None)
        assert [f.sp - SP for f in frames] == [0, 16, 0x110, 0x208]

    def test_onto_the_interrupt_stack_and_back(self) -> None:
        """A word on the interrupt stack holds the stack pointer of before: read there, then the offset is added."""
        ram, sp = Ram(), IRQ.end - 16
        ram.words(sp, ret("handle_irq"), SP)
        ram.words(SP, ret("asm_common_interrupt"))
        orc = Orc(leaf=entry(), handle_irq=entry("sp_indirect", 8), asm_common_interrupt=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", sp))
        assert (names(frames), problem) == (["leaf", "handle_irq", "asm_common_interrupt"], None)
        assert [f.kind for f in frames] == ["irq", "irq", "task"]
        assert frames[2].sp == SP + 8

    def test_pt_regs_behind_a_switch_of_stacks(self) -> None:
        """Before 5.12 the interrupt's entry was described so: the place of pt_regs is read at sp + offset."""
        ram, sp = Ram(), IRQ.end - 32
        ram.words(sp, ret("asm_common_interrupt"), 0, SP)
        ram.words(SP, *registers(rip=AT["outer"], rsp=SP + 0x200, cs=0x10))
        ram.words(SP + 0x200, ret("ret_from_fork"))
        switch = entry("sp_indirect", 8, type_="regs", indirect_offset_inside=True)
        orc = Orc(leaf=entry(), asm_common_interrupt=switch, outer=entry(), ret_from_fork=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", sp))
        assert (names(frames), problem) == (["leaf", "asm_common_interrupt", "outer", "ret_from_fork"], None)
        assert [f.kind for f in frames] == ["irq", "irq", "task", "task"]

    def test_through_an_exception(self) -> None:
        ram, regs_at = Ram(), SP + 0x40
        ram.words(SP, ret("asm_exc_page_fault"))
        ram.words(regs_at, *registers(rip=AT["outer"] + 5, rsp=regs_at + 0x200, rbp=7, cs=0x10))
        ram.words(regs_at + 0x200, ret("ret_from_fork"))
        orc = Orc(leaf=entry(), asm_exc_page_fault=entry("sp", 0x38, type_="regs"), outer=entry(), ret_from_fork=END)
        found = kernel(ram, orc)
        frames, problem = unwind(found, state("leaf", SP))
        assert (names(frames), problem) == (["leaf", "asm_exc_page_fault", "outer", "ret_from_fork"], None)
        assert [f.kind for f in frames] == ["task", "exception", "task", "task"]
        assert AT["outer"] + 5 in orc.asked  # the interrupted instruction itself, not the one before

    @pytest.mark.parametrize("how", ["regs", "regs_partial"])
    def test_to_the_user_boundary_and_no_further(self, how: str) -> None:
        ram = Ram()
        ram.words(SP, ret("entry_SYSCALL_64"))
        if how == "regs":
            ram.words(SP + 8, *registers(rip=0x401000, cs=0x33, rsp=0x7FFC0000, ss=0x2B))
        else:
            ram.words(SP + 8, 0x401000, 0x33, 0x246, 0x7FFC0000, 0x2B)
        orc = Orc(leaf=entry(), entry_SYSCALL_64=entry("sp", 0, type_=how))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert problem is None
        assert [(f.symbol, f.kind, f.address) for f in frames[1:]] == [
            ("entry_SYSCALL_64", "syscall", ret("entry_SYSCALL_64")),
            (None, "user", 0x401000),
        ]
        assert frames[-1].sp == 0x7FFC0000

    def test_registers_that_only_an_entry_saves(self) -> None:
        """A frame found by r10 (stack realigned) works right behind pt_regs, and nowhere else."""
        ram, regs_at = Ram(), SP + 0x40
        ram.words(SP, ret("asm_exc_page_fault"))
        ram.words(regs_at, *registers(rip=AT["outer"] + 5, rsp=regs_at + 0x200, r10=regs_at + 0x300, cs=0x10))
        ram.words(regs_at + 0x300 + 0x18 - 8, ret("ret_from_fork"))
        realigned = entry("r10", 0x18)
        orc = Orc(leaf=entry(), asm_exc_page_fault=entry("sp", 0x38, type_="regs"), outer=realigned, ret_from_fork=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert (names(frames), problem) == (["leaf", "asm_exc_page_fault", "outer", "ret_from_fork"], None)
        ram.words(SP, ret("outer"))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert (names(frames), problem) == (["leaf", "outer"], "register r10 is needed to go on, and is not known")

    def test_rbp_indirect(self) -> None:
        ram = Ram()
        ram.words(SP + 0x80 - 16, SP + 0x100)
        ram.words(SP + 0xF8, ret("ret_from_fork"))
        orc = Orc(leaf=entry("bp_indirect", -16), ret_from_fork=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP, bp=SP + 0x80))
        assert (names(frames), problem) == (["leaf", "ret_from_fork"], None)

    def test_a_modules_own_tables(self) -> None:
        base, ram, orc = 0xFFFFFFFFC0200000, Ram(), Orc(leaf=entry(), ret_from_fork=END)

        class InModule:
            def lookup(self, address: int) -> OrcEntry:
                assert base <= address < base + 0x4000
                return entry(offset=16)

        ram.words(SP, base + 0x123)
        ram.words(SP + 16, ret("ret_from_fork"))
        found = kernel(ram, orc, loaded=[FakeModule(base, 0x4000, InModule())], module_function=base)
        frames, problem = unwind(found, state("leaf", SP))
        assert (names(frames), problem) == (["leaf", "module_function", "ret_from_fork"], None)


class TestWhatStopsTheWalk:
    def test_stack_pointer_on_no_stack(self) -> None:
        ram, orc = Ram(), Orc(leaf=entry("bp", 16), middle=entry())
        ram.words(WILD + 8, ret("middle"))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP, bp=WILD))
        assert names(frames) == ["leaf"]
        assert problem == f"the stack pointer {WILD + 16:#x} is on no stack that is known"
        frames, problem = unwind(kernel(ram, orc), state("leaf", WILD))
        assert (names(frames), problem) == (["leaf"], f"the stack pointer {WILD:#x} is on no stack that is known")

    def test_no_return_address(self) -> None:
        ram = Ram()
        ram.words(SP, 0x5A5A5A5A5A5A5A5A)
        frames, problem = unwind(kernel(ram, Orc(leaf=entry())), state("leaf", SP))
        assert (names(frames), problem) == (["leaf"], "0x5a5a5a5a5a5a5a5a is not a return address")

    def test_downwards(self) -> None:
        ram, orc = Ram(), Orc(leaf=entry(), middle=entry("bp", 16))
        ram.words(SP, ret("middle"))
        ram.words(SP - 0x100, 0, ret("leaf"))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP, bp=SP - 0x100))
        assert (names(frames), problem) == (["leaf", "middle"], "the stack does not go on upwards")

    def test_two_stacks_that_lead_to_each_other(self) -> None:
        """Each step changes the stack, so none goes downwards; the pair comes back all the same."""
        ram, other = Ram(), IRQ.start + 0x800
        ram.words(SP - 8, ret("leaf"), other + 8)
        ram.words(other, ret("middle"), SP)
        orc = Orc(leaf=entry("sp_indirect", 0), middle=entry("sp_indirect", 0))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert (names(frames), problem) == (["leaf", "middle", "leaf"], "the stack loops")

    def test_missing_page(self) -> None:
        ram, orc = Ram(), Orc(leaf=entry(offset=0x1008), middle=entry())
        ram.words(SP, 0)
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert names(frames) == ["leaf"]
        assert problem.startswith("the stack is unreadable: physical page at")

    def test_too_many_frames(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(x86, "MAX_FRAMES", 50)
        ram = Ram()
        ram.words(TASK.start, *[ret("leaf")] * 512)
        frames, problem = unwind(kernel(ram, Orc(leaf=entry())), state("leaf", TASK.start))
        assert (len(frames), problem) == (50, "more than 50 frames")

    def test_a_table_that_says_nothing_of_the_caller(self) -> None:
        orc = Orc(leaf=entry(type_="end_of_stack"))
        _, problem = unwind(kernel(Ram(), orc), state("leaf", SP))
        assert problem == "the kernel's tables do not describe the caller"


class TestOverflow:
    def test_a_stack_pointer_in_the_guard_page_belongs_to_the_stack_above(self) -> None:
        ram, sp = Ram(), TASK.start - 0x18
        ram.words(TASK.start, ret("leaf"), 0, 0, 0, ret("ret_from_fork"))
        orc = Orc(leaf=entry(offset=0x20), ret_from_fork=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", sp))
        assert (names(frames), problem) == (["leaf", "leaf", "ret_from_fork"], None)
        assert [f.kind for f in frames] == ["task"] * 3
        assert [f.sp - TASK.start for f in frames] == [-0x18, 8, 0x28]

    def test_a_guard_page_further_down_belongs_to_nobody(self) -> None:
        _, problem = unwind(kernel(Ram(), Orc(leaf=entry())), state("leaf", TASK.start - 0x1008))
        assert "on no stack that is known" in problem


class TestWildCall:
    def test_only_the_call_was_pushed(self) -> None:
        """A call through a bad pointer faults before the callee does anything."""
        ram, orc = Ram(), Orc(middle=entry(), ret_from_fork=END)
        ram.words(SP, ret("middle"), ret("ret_from_fork"))
        frames, problem = unwind(kernel(ram, orc), State(0x4141414141414141, SP, 0, True))
        assert (names(frames), problem) == ([None, "middle", "ret_from_fork"], None)
        assert frames[0].address == 0x4141414141414141
        assert frames[0].symbol is None


def test_softirqs_are_told_from_interrupts() -> None:
    """Frames of the interrupt stack up to the softirq's own handler; what interrupted it is an interrupt again."""
    orc = Orc(
        leaf=entry(),
        asm_common_interrupt=entry("sp", 0, type_="regs"),
        middle=entry(),
        handle_softirqs=entry(),
        handle_irq=END,
    )
    ram, sp = Ram(), IRQ.start + 0x1000
    ram.words(sp, ret("asm_common_interrupt"))
    ram.words(sp + 8, *registers(rip=AT["middle"] + 4, rsp=sp + 0x100, cs=0x10))
    ram.words(sp + 0x100, ret("handle_softirqs"), ret("handle_irq"))
    frames, problem = unwind(kernel(ram, orc), state("leaf", sp))
    assert problem is None
    assert [(f.symbol, f.kind) for f in frames] == [
        ("leaf", "irq"),
        ("asm_common_interrupt", "irq"),
        ("middle", "softirq"),
        ("handle_softirqs", "softirq"),
        ("handle_irq", "irq"),
    ]


@pytest.mark.parametrize(
    "name, kind",
    [
        ("entry_SYSCALL_64_after_hwframe", "syscall"),
        ("ret_from_fork_asm", "syscall"),
        ("asm_exc_page_fault", "exception"),
        ("asm_exc_nmi", "nmi"),
        ("end_repeat_nmi", "nmi"),
        ("asm_sysvec_apic_timer_interrupt", "irq"),
        ("asm_common_interrupt", "irq"),
        ("error_entry", "exception"),
    ],
)
def test_kinds_of_entries(name: str, kind: str) -> None:
    assert boundary(name) == kind
