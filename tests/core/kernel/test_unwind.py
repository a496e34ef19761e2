"""Unwinding stacks made word by word: by unwinding tables, by frame pointers, by a scan that says that it guessed."""

import pytest

from core.kernel.fakes import FakeKernel, FakeTypes, Ram
from oopscope.kernel import modules
from oopscope.kernel.frame import Frame
from oopscope.kernel.modules import ModuleMap, module_map
from oopscope.kernel.stacks import Stack, cpu_stacks
from oopscope.kernel.unwind import x86
from oopscope.kernel.unwind.x86 import (
    PT_REGS,
    State,
    Unwinder,
    call_target,
    follows_call,
    from_registers,
    from_sleep,
    has_frame_pointers,
    pushes,
)
from oopscope.structs.layout import Member
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


def entry(sp="sp", offset=8, bp="undefined", bp_offset=0, type_="call", **more):
    facts = {"signal": type_ != "call", "end": False, **more}
    return OrcEntry(sp, offset, bp, bp_offset, type_, **facts)


END = entry("undefined", 0, type_="end_of_stack", end=True)
UNDESCRIBED = entry("undefined", 0, type_="undefined")


class Orc:
    """Unwinding tables: one entry for the whole of a function."""

    def __init__(self, **entries):
        self.entries, self.asked = entries, []

    def lookup(self, address):
        self.asked.append(address)
        name = next((n for n, at in AT.items() if at <= address < at + 0x1000), None)
        return self.entries.get(name)


class FakeModule:
    """A module's place and its own tables."""

    def __init__(self, start, size, orc):
        self.regions, self.orc, self.symbols = [modules.Region(start, size)], orc, None


def kernel(ram, orc=None, loaded=(), types=None, **symbols):
    places = {"_stext": TEXT, "_etext": TEXT + 0x100000, **AT, **symbols}
    if orc is not None:
        places["__start_orc_unwind"] = 0xFFFFFFFF82000000
    known = {module_map: ModuleMap(list(loaded)), cpu_stacks: [IRQ, NMI], modules._kernel_orc: orc}
    return FakeKernel(ram, places, known, types)


def unwind(found, start, stacks=(TASK,)):
    unwinder = Unwinder(found, stacks)
    return unwinder.frames(start), unwinder.problem


def names(frames):
    return [f.symbol for f in frames]


def ret(name, offset=0x20):
    """A return address in a function."""
    return AT[name] + offset


def state(name, sp, bp=0, offset=0x10):
    return State(AT[name] + offset, sp, bp, True)


def registers(**values):
    return [values.get(name, 0) for name in PT_REGS]


SP = TASK.start + 0x3000


class TestTables:
    def test_calls_to_the_end_of_the_stack(self):
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

    def test_a_return_address_is_looked_up_where_the_call_is(self):
        """A call that is a function's last instruction returns to the next function; an interrupted pc is its own."""
        ram = Ram()
        ram.words(SP, AT["outer"])  # the call stands at the end of `middle`
        orc = Orc(leaf=entry(), middle=END)
        frames, _ = unwind(kernel(ram, orc), State(AT["leaf"], SP, 0, True))
        assert [str(f) for f in frames] == ["leaf+0x0", "middle+0x1000"]
        assert orc.asked == [AT["leaf"], AT["outer"] - 1]

    def test_rbp_is_saved_and_used(self):
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

    def test_onto_the_interrupt_stack_and_back(self):
        """A word on the interrupt stack holds the stack pointer of before: read there, then the offset is added."""
        ram, sp = Ram(), IRQ.end - 16
        ram.words(sp, ret("handle_irq"), SP)
        ram.words(SP, ret("asm_common_interrupt"))
        orc = Orc(leaf=entry(), handle_irq=entry("sp_indirect", 8), asm_common_interrupt=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", sp))
        assert (names(frames), problem) == (["leaf", "handle_irq", "asm_common_interrupt"], None)
        assert [f.kind for f in frames] == ["irq", "irq", "task"]
        assert frames[2].sp == SP + 8

    def test_pt_regs_behind_a_switch_of_stacks(self):
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

    def test_through_an_exception(self):
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
    def test_to_the_user_boundary_and_no_further(self, how):
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

    def test_registers_that_only_an_entry_saves(self):
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

    def test_rbp_indirect(self):
        ram = Ram()
        ram.words(SP + 0x80 - 16, SP + 0x100)
        ram.words(SP + 0xF8, ret("ret_from_fork"))
        orc = Orc(leaf=entry("bp_indirect", -16), ret_from_fork=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP, bp=SP + 0x80))
        assert (names(frames), problem) == (["leaf", "ret_from_fork"], None)

    def test_a_modules_own_tables(self):
        base, ram, orc = 0xFFFFFFFFC0200000, Ram(), Orc(leaf=entry(), ret_from_fork=END)

        class InModule:
            def lookup(self, address):
                assert base <= address < base + 0x4000
                return entry(offset=16)

        ram.words(SP, base + 0x123)
        ram.words(SP + 16, ret("ret_from_fork"))
        found = kernel(ram, orc, loaded=[FakeModule(base, 0x4000, InModule())], module_function=base)
        frames, problem = unwind(found, state("leaf", SP))
        assert (names(frames), problem) == (["leaf", "module_function", "ret_from_fork"], None)


class TestWhatStopsTheWalk:
    def test_stack_pointer_on_no_stack(self):
        ram, orc = Ram(), Orc(leaf=entry("bp", 16), middle=entry())
        ram.words(WILD + 8, ret("middle"))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP, bp=WILD))
        assert names(frames) == ["leaf"]
        assert problem == f"the stack pointer {WILD + 16:#x} is on no stack that is known"
        frames, problem = unwind(kernel(ram, orc), state("leaf", WILD))
        assert (names(frames), problem) == (["leaf"], f"the stack pointer {WILD:#x} is on no stack that is known")

    def test_no_return_address(self):
        ram = Ram()
        ram.words(SP, 0x5A5A5A5A5A5A5A5A)
        frames, problem = unwind(kernel(ram, Orc(leaf=entry())), state("leaf", SP))
        assert (names(frames), problem) == (["leaf"], "0x5a5a5a5a5a5a5a5a is not a return address")

    def test_downwards(self):
        ram, orc = Ram(), Orc(leaf=entry(), middle=entry("bp", 16))
        ram.words(SP, ret("middle"))
        ram.words(SP - 0x100, 0, ret("leaf"))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP, bp=SP - 0x100))
        assert (names(frames), problem) == (["leaf", "middle"], "the stack does not go on upwards")

    def test_two_stacks_that_lead_to_each_other(self):
        """Each step changes the stack, so none goes downwards; the pair comes back all the same."""
        ram, other = Ram(), IRQ.start + 0x800
        ram.words(SP - 8, ret("leaf"), other + 8)
        ram.words(other, ret("middle"), SP)
        orc = Orc(leaf=entry("sp_indirect", 0), middle=entry("sp_indirect", 0))
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert (names(frames), problem) == (["leaf", "middle", "leaf"], "the stack loops")

    def test_missing_page(self):
        ram, orc = Ram(), Orc(leaf=entry(offset=0x1008), middle=entry())
        ram.words(SP, 0)
        frames, problem = unwind(kernel(ram, orc), state("leaf", SP))
        assert names(frames) == ["leaf"]
        assert problem.startswith("the stack is unreadable: physical page at")

    def test_too_many_frames(self, monkeypatch):
        monkeypatch.setattr(x86, "MAX_FRAMES", 50)
        ram = Ram()
        ram.words(TASK.start, *[ret("leaf")] * 512)
        frames, problem = unwind(kernel(ram, Orc(leaf=entry())), state("leaf", TASK.start))
        assert (len(frames), problem) == (50, "more than 50 frames")

    def test_a_table_that_says_nothing_of_the_caller(self):
        orc = Orc(leaf=entry(type_="end_of_stack"))
        _, problem = unwind(kernel(Ram(), orc), state("leaf", SP))
        assert problem == "the kernel's tables do not describe the caller"


class TestOverflow:
    def test_a_stack_pointer_in_the_guard_page_belongs_to_the_stack_above(self):
        ram, sp = Ram(), TASK.start - 0x18
        ram.words(TASK.start, ret("leaf"), 0, 0, 0, ret("ret_from_fork"))
        orc = Orc(leaf=entry(offset=0x20), ret_from_fork=END)
        frames, problem = unwind(kernel(ram, orc), state("leaf", sp))
        assert (names(frames), problem) == (["leaf", "leaf", "ret_from_fork"], None)
        assert [f.kind for f in frames] == ["task"] * 3
        assert [f.sp - TASK.start for f in frames] == [-0x18, 8, 0x28]

    def test_a_guard_page_further_down_belongs_to_nobody(self):
        _, problem = unwind(kernel(Ram(), Orc(leaf=entry())), state("leaf", TASK.start - 0x1008))
        assert "on no stack that is known" in problem


CALL = 0xE8


def put_call(ram, return_address, target):
    """Write a direct call that returns there."""
    ram.put(return_address - 5, bytes([CALL]) + ((target - return_address) & 0xFFFFFFFF).to_bytes(4, "little"))


class TestUndescribed:
    """__crash_kexec and its like, which the tables leave out: by the call that entered them."""

    def test_by_the_call(self):
        ram, orc = Ram(), Orc(__crash_kexec=UNDESCRIBED, middle=entry(), ret_from_fork=END)
        ram.words(SP, 1, ret("outer"), 0x1234, ret("middle"), ret("ret_from_fork"))
        put_call(ram, ret("outer"), AT["leaf"])  # a call, but of another function
        put_call(ram, ret("middle"), AT["__crash_kexec"])
        ram.put(AT["__crash_kexec"], b"\x90" * 48)
        frames, problem = unwind(kernel(ram, orc), state("__crash_kexec", SP))
        assert (names(frames), problem) == (["__crash_kexec", "middle", "ret_from_fork"], None)
        assert all(f.reliable for f in frames)
        assert frames[1].sp == SP + 32

    def test_rbp_comes_back_from_its_prologue(self):
        ram = Ram()
        orc = Orc(__crash_kexec=UNDESCRIBED, middle=entry("bp", 16), ret_from_fork=END)
        ram.put(AT["__crash_kexec"], b"\xf3\x0f\x1e\xfa\x0f\x1f\x44\x00\x00\x41\x57\x55\x53" + b"\x90" * 40)
        ram.words(SP, 0xBB, SP + 0x100, 0x15, ret("middle"))  # rbx, rbp, r15, return address
        put_call(ram, ret("middle"), AT["__crash_kexec"])
        ram.words(SP + 0x100, 0, ret("ret_from_fork"))
        frames, problem = unwind(kernel(ram, orc), state("__crash_kexec", SP, bp=0xBAD))
        assert (names(frames), problem) == (["__crash_kexec", "middle", "ret_from_fork"], None)

    def test_without_such_a_call_only_a_scan_is_left(self):
        ram, orc = Ram(), Orc(__crash_kexec=UNDESCRIBED, middle=entry())
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP, 1, ret("middle"), 2)
        put_call(ram, ret("middle"), AT["leaf"])
        frames, problem = unwind(kernel(ram, orc), state("__crash_kexec", SP))
        assert names(frames) == ["__crash_kexec", "middle"]
        assert [f.reliable for f in frames] == [True, False]
        assert problem == "the rest was found by scanning the stack's words"


class TestWildCall:
    def test_only_the_call_was_pushed(self):
        """A call through a bad pointer faults before the callee does anything."""
        ram, orc = Ram(), Orc(middle=entry(), ret_from_fork=END)
        ram.words(SP, ret("middle"), ret("ret_from_fork"))
        frames, problem = unwind(kernel(ram, orc), State(0x4141414141414141, SP, 0, True))
        assert (names(frames), problem) == ([None, "middle", "ret_from_fork"], None)
        assert frames[0].address == 0x4141414141414141
        assert frames[0].symbol is None


PROLOGUE = b"\x0f\x1f\x44\x00\x00\x55\x48\x89\xe5" + b"\x90" * 20
PROBED = {name: TEXT + 0x80000 + 0x1000 * i for i, name in enumerate(("schedule", "do_exit", "vfs_read", "panic"))}


def with_frame_pointers(ram):
    """A kernel without tables whose functions begin by saving rbp."""
    for address in PROBED.values():
        ram.put(address, PROLOGUE)
    return kernel(ram, **PROBED)


class TestFramePointers:
    def test_are_told_by_prologues(self):
        ram = Ram()
        assert not has_frame_pointers(kernel(ram, **PROBED))
        assert has_frame_pointers(with_frame_pointers(ram))
        assert not has_frame_pointers(kernel(ram, Orc(), **PROBED))

    def test_chain(self):
        ram = Ram()
        ram.words(SP + 0x20, SP + 0x60, ret("middle"))
        ram.words(SP + 0x60, 0, ret("ret_from_fork"))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert (names(frames), problem) == (["leaf", "middle", "ret_from_fork"], None)
        assert all(f.reliable for f in frames)
        assert [f.sp - SP for f in frames] == [0, 0x30, 0x70]

    def test_through_an_entrys_registers(self):
        """An entry leaves rbp pointing at pt_regs, plus one."""
        ram, regs_at = Ram(), SP + 0x100
        ram.words(SP + 0x20, regs_at + 1, ret("asm_common_interrupt"))
        ram.words(regs_at, *registers(rip=AT["outer"] + 9, rsp=regs_at + 0x200, rbp=regs_at + 0x240, cs=0x10))
        ram.words(regs_at + 0x240, 0, ret("ret_from_fork"))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert (names(frames), problem) == (["leaf", "asm_common_interrupt", "outer", "ret_from_fork"], None)
        assert frames[2].offset == 9

    def test_to_the_user_boundary(self):
        ram, regs_at = Ram(), TASK.end - 21 * 8
        ram.words(SP + 0x20, regs_at + 1, ret("entry_SYSCALL_64"))
        ram.words(regs_at, *registers(rip=0x401000, rsp=0x7FFC0000, cs=0x33))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert problem is None
        assert [(f.symbol, f.kind) for f in frames[-2:]] == [("entry_SYSCALL_64", "task"), (None, "user")]

    def test_a_kernel_thread_ends_at_registers_that_nobody_set(self):
        """copy_thread() leaves the pt_regs of a kernel thread zero: there is nothing behind ret_from_fork."""
        ram, regs_at = Ram(), TASK.end - 21 * 8
        ram.words(SP + 0x20, regs_at + 1, ret("ret_from_fork"))
        ram.words(regs_at, *registers())
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert (names(frames), problem) == (["leaf", "ret_from_fork"], None)

    @pytest.mark.parametrize("bp", [SP - 0x100, SP + 3, WILD])
    def test_an_rbp_that_is_none_leaves_a_scan(self, bp):
        ram = Ram()
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP + 0x40, ret("middle"))
        put_call(ram, ret("middle"), AT["leaf"])
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=bp))
        assert names(frames) == ["leaf", "middle"]
        assert [f.reliable for f in frames] == [True, False]
        assert "scanning" in problem

    def test_a_chain_that_comes_back_ends(self):
        ram = Ram()
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP + 0x20, SP + 0x20, ret("middle"))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert names(frames)[:2] == ["leaf", "middle"]
        assert len(frames) == 2
        assert "scanning" in problem


class TestScan:
    """Neither tables nor frame pointers: every word that follows a call is a guess, and is marked as one."""

    def stack(self):
        ram = Ram()
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP + 0x18, ret("middle"), 0x1234, AT["outer"] + 0x20, TEXT + 0x200000, ret("kthread"))
        put_call(ram, ret("middle"), AT["leaf"])
        ram.put(AT["outer"], b"\x90" * 0x40)  # a pointer to code, but no call stands before it
        ram.put(ret("kthread") - 2, b"\xff\xd0")  # call *%rax
        return kernel(ram)

    def test_words_that_follow_a_call(self):
        frames, problem = unwind(self.stack(), state("leaf", SP))
        assert names(frames) == ["leaf", "middle", "kthread"]
        assert [f.reliable for f in frames] == [True, False, False]
        assert [f.offset for f in frames] == [0x10, 0x20, 0x20]
        assert [f.sp - SP for f in frames] == [0, 0x18, 0x38]
        assert problem == "the rest was found by scanning the stack's words"

    def test_even_a_chain_of_frames_is_a_guess_there(self):
        found = self.stack()
        found.ram.words(SP + 0x10, SP + 0x100)
        frames, _ = unwind(found, state("leaf", SP, bp=SP + 0x10))
        assert names(frames)[:2] == ["leaf", "middle"]
        assert [f.reliable for f in frames[:2]] == [True, False]

    def test_is_bounded_by_the_stack(self):
        ram = Ram()
        ram.words(TASK.end - 0x20, 0, 0, 0, 0)
        ram.words(TASK.end, ret("middle"))
        put_call(ram, ret("middle"), AT["leaf"])
        frames, _ = unwind(kernel(ram), state("leaf", TASK.end - 0x20))
        assert names(frames) == ["leaf"]

    def test_of_a_missing_page_says_so(self):
        frames, problem = unwind(kernel(Ram()), state("leaf", SP))
        assert names(frames) == ["leaf"]
        assert problem.startswith("the stack is unreadable")


def test_softirqs_are_told_from_interrupts():
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
def test_kinds_of_entries(name, kind):
    assert x86._boundary(name) == kind


class TestCode:
    """What the bytes before a return address tell."""

    @pytest.mark.parametrize(
        "code, is_call",
        [
            (b"\x90\x90\xe8\x01\x02\x03\x04", True),  # call rel32
            (b"\x90\x90\x90\x90\x90\xff\xd0", True),  # call *%rax
            (b"\x90\x90\x90\x90\x41\xff\xd3", True),  # call *%r11
            (b"\x90\x90\x90\x90\xff\x50\x18", True),  # call *0x18(%rax)
            (b"\x90\xff\x15\x00\x10\x00\x00", True),  # call *0x1000(%rip)
            (b"\xff\x14\xc5\x00\x10\x00\x81", True),  # call *table(,%rax,8)
            (b"\x90\x90\xe9\x01\x02\x03\x04", False),  # jmp
            (b"\x90\x90\x90\x90\x90\xff\xe0", False),  # jmp *%rax
            (b"\x90\x90\x90\x90\x90\x89\xd0", False),
        ],
    )
    def test_follows_call(self, code, is_call):
        ram = Ram()
        ram.put(AT["leaf"] + 0x20 - 7, code)
        assert follows_call(kernel(ram), AT["leaf"] + 0x20) == is_call
        assert not follows_call(kernel(Ram()), AT["leaf"] + 0x20)

    @pytest.mark.parametrize("target", ["machine_kexec", "leaf"])
    def test_call_target_forwards_and_backwards(self, target):
        ram = Ram()
        put_call(ram, ret("outer"), AT[target])
        assert call_target(kernel(ram), ret("outer")) == AT[target]
        ram.put(ret("outer") - 5, b"\xe9")
        assert call_target(kernel(ram), ret("outer")) is None
        assert call_target(kernel(Ram()), ret("outer")) is None

    @pytest.mark.parametrize(
        "code, expected",
        [
            (b"\x55\x53\x48\x83\xec\x10", [5, 3]),  # push rbp, rbx; sub rsp
            (b"\xf3\x0f\x1e\xfa\xe8\x01\x02\x03\x04\x41\x57\x41\x56\x55\x90", [15, 14, 5]),  # endbr64, call __fentry__
            (b"\x0f\x1f\x44\x00\x00\x55\x48\x89\xe5", [5]),  # a nop in ftrace's place
            (b"\x48\x89\xf8\x55", []),
        ],
    )
    def test_pushes(self, code, expected):
        ram = Ram()
        ram.put(AT["leaf"], code + b"\x90" * 48)
        assert pushes(kernel(ram), AT["leaf"]) == expected
        assert pushes(kernel(Ram()), AT["leaf"]) == []


class TestStarts:
    def test_from_registers(self):
        start = from_registers({"rip": 1, "rsp": 2, "rbp": 3, "r10": 4})
        assert (start.ip, start.sp, start.bp, start.signal, start.reliable) == (1, 2, 3, True, True)
        assert start.registers["r10"] == 4

    @pytest.mark.parametrize("name, newborn", [("middle", False), ("ret_from_fork", True)])
    def test_from_sleep(self, name, newborn):
        """struct inactive_task_frame lies at thread.sp; a task that never ran begins at ret_from_fork itself."""
        ram = Ram()
        address = AT[name] if newborn else ret(name)
        ram.words(SP, 15, 14, 13, 12, 3, 0xB0, address)
        start = from_sleep(kernel(ram), SP)
        assert (start.ip, start.bp, start.sp, start.signal) == (address, 0xB0, SP + 56, newborn)

    def test_from_sleep_by_the_kernels_own_types(self):
        members = {"bp": Member("bp", 32, 8, "uint", 0), "ret_addr": Member("ret_addr", 40, 8, "uint", 0)}
        ram = Ram()
        ram.words(SP, 1, 2, 3, 4, 0xB0, ret("middle"))
        found = kernel(ram, types=FakeTypes(inactive_task_frame=(48, members)))
        start = from_sleep(found, SP)
        assert (start.ip, start.bp, start.sp) == (ret("middle"), 0xB0, SP + 48)
