"""Unwinding without tables: frame pointers, calls found in the code, and a scan that says that it guessed."""

import pytest

from core.kernel.fakes import FakeKernel, FakeTypes, Ram
from core.kernel.made import (
    AT,
    END,
    IRQ,
    SP,
    TASK,
    TEXT,
    UNDESCRIBED,
    WILD,
    Orc,
    entry,
    kernel,
    names,
    put_call,
    registers,
    ret,
    state,
    unwind,
)
from oopscope.kernel.stack import Stack
from oopscope.machine.common.x86_code import call_target, follows_call
from oopscope.machine.x86_64.entry_frames import has_frame_pointers, pushes
from oopscope.machine.x86_64.unwind import Unwinder, from_registers, from_sleep
from oopscope.structs.layout import Member


class TestUndescribed:
    """__crash_kexec and its like, which the tables leave out: by the call that entered them."""

    def test_by_the_call(self) -> None:
        ram, orc = Ram(), Orc(__crash_kexec=UNDESCRIBED, middle=entry(), ret_from_fork=END)
        ram.words(SP, 1, ret("outer"), 0x1234, ret("middle"), ret("ret_from_fork"))
        put_call(ram, ret("outer"), AT["leaf"])  # a call, but of another function
        put_call(ram, ret("middle"), AT["__crash_kexec"])
        ram.put(AT["__crash_kexec"], b"\x90" * 48)
        frames, problem = unwind(kernel(ram, orc), state("__crash_kexec", SP))
        assert (names(frames), problem) == (["__crash_kexec", "middle", "ret_from_fork"], None)
        assert all(f.reliable for f in frames)
        assert frames[1].sp == SP + 32

    def test_rbp_comes_back_from_its_prologue(self) -> None:
        ram = Ram()
        orc = Orc(__crash_kexec=UNDESCRIBED, middle=entry("bp", 16), ret_from_fork=END)
        ram.put(AT["__crash_kexec"], b"\xf3\x0f\x1e\xfa\x0f\x1f\x44\x00\x00\x41\x57\x55\x53" + b"\x90" * 40)
        ram.words(SP, 0xBB, SP + 0x100, 0x15, ret("middle"))  # rbx, rbp, r15, return address
        put_call(ram, ret("middle"), AT["__crash_kexec"])
        ram.words(SP + 0x100, 0, ret("ret_from_fork"))
        frames, problem = unwind(kernel(ram, orc), state("__crash_kexec", SP, bp=0xBAD))
        assert (names(frames), problem) == (["__crash_kexec", "middle", "ret_from_fork"], None)

    def test_without_such_a_call_only_a_scan_is_left(self) -> None:
        ram, orc = Ram(), Orc(__crash_kexec=UNDESCRIBED, middle=entry())
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP, 1, ret("middle"), 2)
        put_call(ram, ret("middle"), AT["leaf"])
        frames, problem = unwind(kernel(ram, orc), state("__crash_kexec", SP))
        assert names(frames) == ["__crash_kexec", "middle"]
        assert [f.reliable for f in frames] == [True, False]
        assert problem == "the rest was found by scanning the stack's words"


PROLOGUE = b"\x0f\x1f\x44\x00\x00\x55\x48\x89\xe5" + b"\x90" * 20
# A compiler may schedule another instruction in between: testq %rsi,%rsi.
PARTED = b"\x0f\x1f\x44\x00\x00\x55\x48\x85\xf6\x48\x89\xe5" + b"\x90" * 20
PROBED = {name: TEXT + 0x80000 + 0x1000 * i for i, name in enumerate(("schedule", "do_exit", "vfs_read", "panic"))}


def with_frame_pointers(ram: Ram) -> FakeKernel:
    """A kernel without tables whose functions begin by saving rbp."""
    for address in PROBED.values():
        ram.put(address, PROLOGUE)
    return kernel(ram, **PROBED)


class TestFramePointers:
    def test_are_told_by_prologues(self) -> None:
        ram = Ram()
        assert not has_frame_pointers(kernel(ram, **PROBED))
        assert has_frame_pointers(with_frame_pointers(ram))
        assert not has_frame_pointers(kernel(ram, Orc(), **PROBED))

    def test_chain(self) -> None:
        ram = Ram()
        ram.words(SP + 0x20, SP + 0x60, ret("middle"))
        ram.words(SP + 0x60, 0, ret("ret_from_fork"))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert (names(frames), problem) == (["leaf", "middle", "ret_from_fork"], None)
        assert all(f.reliable for f in frames)
        assert [f.sp - SP for f in frames] == [0, 0x30, 0x70]

    def test_through_an_entrys_registers(self) -> None:
        """An entry leaves rbp pointing at pt_regs, plus one."""
        ram, regs_at = Ram(), SP + 0x100
        ram.words(SP + 0x20, regs_at + 1, ret("asm_common_interrupt"))
        ram.words(regs_at, *registers(rip=AT["outer"] + 9, rsp=regs_at + 0x200, rbp=regs_at + 0x240, cs=0x10))
        ram.words(regs_at + 0x240, 0, ret("ret_from_fork"))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert (names(frames), problem) == (["leaf", "asm_common_interrupt", "outer", "ret_from_fork"], None)
        assert frames[2].offset == 9

    def test_to_the_user_boundary(self) -> None:
        ram, regs_at = Ram(), TASK.end - 21 * 8
        ram.words(SP + 0x20, regs_at + 1, ret("entry_SYSCALL_64"))
        ram.words(regs_at, *registers(rip=0x401000, rsp=0x7FFC0000, cs=0x33, eflags=0x246))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert problem is None
        assert [(f.symbol, f.kind) for f in frames[-2:]] == [("entry_SYSCALL_64", "syscall"), (None, "user")]

    def test_a_kernel_thread_ends_at_registers_that_nobody_set(self) -> None:
        """copy_thread() leaves the pt_regs of a kernel thread zero: there is nothing behind ret_from_fork."""
        ram, regs_at = Ram(), TASK.end - 21 * 8
        ram.words(SP + 0x20, regs_at + 1, ret("ret_from_fork"))
        ram.words(regs_at, *registers())
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert (names(frames), problem) == (["leaf", "ret_from_fork"], None)

    @pytest.mark.parametrize("irq", [IRQ, Stack(TASK.start - 0x8000, TASK.start - 0x4000, "irq")])
    def test_back_onto_the_interrupted_stack_wherever_it_lies(self, irq: Stack) -> None:
        """A function that calls another onto the interrupt stack has its own frame on the task's."""
        ram, top = Ram(), irq.end - 0x40
        ram.words(top - 0x20, SP + 0x20, ret("handle_irq"))
        ram.words(SP + 0x20, 0, ret("asm_common_interrupt"))
        found, known = with_frame_pointers(ram), [TASK, irq]
        unwinder = Unwinder(found, known)
        frames = unwinder.frames(state("leaf", top - 0x40, bp=top - 0x20))
        assert unwinder.problem is None
        assert [(f.symbol, f.kind, f.reliable) for f in frames] == [
            ("leaf", "irq", True), ("handle_irq", "irq", True), ("asm_common_interrupt", "task", True)
        ]  # fmt: skip

    @pytest.mark.parametrize("bp", [SP - 0x100, SP + 3, WILD])
    def test_an_rbp_that_is_none_leaves_a_scan(self, bp: int) -> None:
        ram = Ram()
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP + 0x40, ret("middle"))
        put_call(ram, ret("middle"), AT["leaf"])
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=bp))
        assert names(frames) == ["leaf", "middle"]
        assert [f.reliable for f in frames] == [True, False]
        assert "scanning" in problem

    def test_a_chain_that_comes_back_ends(self) -> None:
        ram = Ram()
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP + 0x20, SP + 0x20, ret("middle"))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert names(frames)[:2] == ["leaf", "middle"]
        assert len(frames) == 2
        assert "scanning" in problem


def with_entries(ram: Ram, *names: str) -> FakeKernel:
    """The same, with entries: code that makes no frame."""
    for name in names:
        ram.put(AT[name], b"\x90" * 256)
    return with_frame_pointers(ram)


class TestEntriesByFramePointers:
    """What an entry interrupted stands in its pt_regs, wherever rbp points."""

    @pytest.mark.parametrize("user_bp", [0, 0x7FFC1234])
    def test_a_system_call_clears_rbp_or_leaves_the_programs(self, user_bp: int) -> None:
        ram, regs_at = Ram(), TASK.end - 21 * 8
        ram.words(regs_at - 16, user_bp, ret("entry_SYSCALL_64"))
        ram.words(regs_at, *registers(rip=0x401000, rsp=0x7FFC0000, cs=0x33, eflags=0x246))
        frames, problem = unwind(with_entries(ram, "entry_SYSCALL_64"), state("leaf", SP, bp=regs_at - 16))
        assert problem is None
        found = [(f.symbol, f.kind) for f in frames]
        assert found == [("leaf", "task"), ("entry_SYSCALL_64", "syscall"), (None, "user")]

    def test_the_function_that_faulted_is_not_jumped_over(self) -> None:
        """Before 4.10 rbp is that of the interrupted function: its frame leads to its caller."""
        ram, regs_at = Ram(), SP + 0x100
        interrupted = registers(rip=AT["middle"] + 9, rsp=SP + 0x200, rbp=SP + 0x240, cs=0x10, eflags=0x10246)
        ram.words(regs_at - 16, SP + 0x240, ret("asm_exc_page_fault"))
        ram.words(regs_at, *interrupted)
        ram.words(SP + 0x240, 0, ret("outer"))
        frames, problem = unwind(with_entries(ram, "asm_exc_page_fault"), state("leaf", SP, bp=regs_at - 16))
        assert problem is None
        found = [(f.symbol, f.offset, f.kind) for f in frames]
        assert found[1:3] == [("asm_exc_page_fault", 0x20, "exception"), ("middle", 9, "task")]
        assert names(frames)[3:] == ["outer"]

    def test_from_the_interrupt_stack_by_the_pointer_on_it(self) -> None:
        """Before 5.8 the entry pushed the address of pt_regs when it had switched stacks."""
        ram, regs_at, top = Ram(), SP + 0x100, IRQ.end - 64
        ram.words(top - 24, SP + 0x240, ret("asm_common_interrupt"), regs_at)
        interrupted = registers(rip=AT["middle"] + 9, rsp=SP + 0x200, rbp=SP + 0x240, cs=0x10, eflags=0x246)
        ram.words(regs_at, *interrupted)
        ram.words(SP + 0x240, 0, ret("outer"))
        frames, problem = unwind(with_entries(ram, "asm_common_interrupt"), state("leaf", top - 0x80, bp=top - 24))
        assert problem is None
        found = [(f.symbol, f.kind) for f in frames[:3]]
        assert found == [("leaf", "irq"), ("asm_common_interrupt", "irq"), ("middle", "task")]

    @pytest.mark.parametrize("wrong", [{"eflags": 0}, {"cs": 0x77}, {"rsp": WILD}, {"cs": 0x33, "rip": AT["outer"]}])
    def test_words_that_are_no_registers_are_not_taken_for_them(self, wrong: dict[str, int]) -> None:
        ram, regs_at = Ram(), SP + 0x100
        fields = {"rip": AT["middle"] + 9, "rsp": SP + 0x200, "rbp": 0, "cs": 0x10, "eflags": 0x246, **wrong}
        ram.words(regs_at - 16, 0, ret("asm_exc_page_fault"))
        ram.words(regs_at, *registers(**fields))
        frames, _problem = unwind(with_entries(ram, "asm_exc_page_fault"), state("leaf", SP, bp=regs_at - 16))
        assert names(frames) == ["leaf", "asm_exc_page_fault"]

    def test_a_compiled_function_that_was_handed_registers_is_no_entry(self) -> None:
        """oops_end(flags, regs, signr) of 4.4, whose prologue tests an argument between the push and the move."""
        ram, regs_at = Ram(), SP + 0x100
        ram.put(AT["middle"], PARTED)
        ram.words(SP + 0x20, SP + 0x60, ret("middle"), regs_at)
        fields = {"rip": AT["kthread"] + 9, "rsp": SP + 0x200, "rbp": 0, "cs": 0x10, "eflags": 0x246}
        ram.words(regs_at, *registers(**fields))
        ram.words(SP + 0x60, 0, ret("outer"))
        frames, problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x20))
        assert (names(frames), problem) == (["leaf", "middle", "outer"], None)

    @pytest.mark.parametrize("code, offset, above", [*((PROLOGUE, *at) for at in ((0, 0), (5, 0), (6, 8))),
                                                     *((PARTED, *at) for at in ((5, 0), (6, 8), (9, 8)))])  # fmt: skip
    def test_a_function_that_has_not_made_its_frame(self, code: bytes, offset: int, above: int) -> None:
        """Interrupted in its prologue: rbp is the caller's, whom the chain alone would jump over."""
        ram = Ram()
        ram.put(AT["leaf"], code)
        ram.words(SP + above, ret("middle"))
        put_call(ram, ret("middle"), AT["leaf"])
        ram.words(SP + 0x60, 0, ret("outer"))
        found = state("leaf", SP, bp=SP + 0x60, offset=offset)
        frames, problem = unwind(with_frame_pointers(ram), found)
        assert (names(frames), problem) == (["leaf", "middle", "outer"], None)
        assert all(f.reliable for f in frames)

    @pytest.mark.parametrize("calls, sure", [("leaf", True), ("handle_irq", False)])
    def test_a_function_that_makes_none(self, calls: str, sure: bool) -> None:
        ram = Ram()
        ram.put(AT["leaf"], b"\x90" * 128)
        ram.words(SP, ret("middle"))
        put_call(ram, ret("middle"), AT[calls])
        ram.words(SP + 0x60, 0, ret("outer"))
        frames, _problem = unwind(with_frame_pointers(ram), state("leaf", SP, bp=SP + 0x60))
        assert [(f.symbol, f.reliable) for f in frames] == [("leaf", True), ("middle", sure), ("outer", sure)]


class TestScan:
    """Neither tables nor frame pointers: every word that follows a call is a guess, and is marked as one."""

    def stack(self) -> FakeKernel:
        ram = Ram()
        ram.words(TASK.start, *[0] * 2048)
        ram.words(SP + 0x18, ret("middle"), 0x1234, AT["outer"] + 0x20, TEXT + 0x200000, ret("kthread"))
        put_call(ram, ret("middle"), AT["leaf"])
        ram.put(AT["outer"], b"\x90" * 0x40)  # a pointer to code, but no call stands before it
        ram.put(ret("kthread") - 2, b"\xff\xd0")  # call *%rax
        return kernel(ram)

    def test_words_that_follow_a_call(self) -> None:
        frames, problem = unwind(self.stack(), state("leaf", SP))
        assert names(frames) == ["leaf", "middle", "kthread"]
        assert [f.reliable for f in frames] == [True, False, False]
        assert [f.offset for f in frames] == [0x10, 0x20, 0x20]
        assert [f.sp - SP for f in frames] == [0, 0x18, 0x38]
        assert problem == "the rest was found by scanning the stack's words"

    def test_even_a_chain_of_frames_is_a_guess_there(self) -> None:
        found = self.stack()
        found.ram.words(SP + 0x10, SP + 0x100)
        frames, _ = unwind(found, state("leaf", SP, bp=SP + 0x10))
        assert names(frames)[:2] == ["leaf", "middle"]
        assert [f.reliable for f in frames[:2]] == [True, False]

    def test_is_bounded_by_the_stack(self) -> None:
        ram = Ram()
        ram.words(TASK.end - 0x20, 0, 0, 0, 0)
        ram.words(TASK.end, ret("middle"))
        put_call(ram, ret("middle"), AT["leaf"])
        frames, _ = unwind(kernel(ram), state("leaf", TASK.end - 0x20))
        assert names(frames) == ["leaf"]

    def test_of_a_missing_page_says_so(self) -> None:
        frames, problem = unwind(kernel(Ram()), state("leaf", SP))
        assert names(frames) == ["leaf"]
        assert problem.startswith("the stack is unreadable")


class TestCode:
    """What the bytes before a return address tell."""

    @pytest.mark.parametrize(
        "code, is_call",
        [
            (b"\x90\x90\xe8\x10\x00\x00\x00", True),  # call rel32
            (b"\x90\x90\xe8\x01\x02\x03\x7f", False),  # to where no code is
            (b"\x90\x90\x90\x90\x90\xff\xd0", True),  # call *%rax
            (b"\x90\x90\x90\x90\x41\xff\xd3", True),  # call *%r11
            (b"\x90\x90\x90\x90\xff\x50\x18", True),  # call *0x18(%rax)
            (b"\x90\xff\x15\x00\x10\x00\x00", True),  # call *0x1000(%rip)
            (b"\xff\x14\xc5\x00\x10\x00\x81", True),  # call *table(,%rax,8)
            (b"\x90\x90\xe9\x01\x02\x03\x04", False),  # jmp
            (b"\x90\x90\x90\x90\x90\xff\xe0", False),  # jmp *%rax
            (b"\x90\x90\x90\x90\x90\x89\xd0", False),
            (b"\x90\x90\x90\x90\xff\x14\x24", True),  # call *(%rsp)
            (b"\x90\x90\x90\xff\x54\x24\x08", True),  # call *8(%rsp)
            (b"\x90\x90\x90\x90\x90\xff\x10", True),  # call *(%rax)
            (b"\xff\x94\x24\x00\x01\x00\x00", True),  # call *0x100(%rsp)
            (b"\x90\x90\x90\x90\x90\xff\x14", False),  # its SIB byte is not there
            (b"\x90\x90\x90\x90\xff\xd0\x90", False),  # a call, and one byte behind it
            (b"\x90\x90\x90\x90\x90\xff\x50", False),  # its displacement is not there
            (b"\x90\xff\x10\x00\x10\x00\x00", False),  # too short for what is before the address
        ],
    )
    def test_follows_call(self, code: bytes, is_call: bool) -> None:
        ram = Ram()
        ram.put(AT["leaf"] + 0x20 - 7, code)
        assert follows_call(kernel(ram), AT["leaf"] + 0x20) == is_call
        assert not follows_call(kernel(Ram()), AT["leaf"] + 0x20)

    def test_where_a_function_begins_is_a_pointer_to_it_unless_its_callee_stands_within(self) -> None:
        ram = Ram()
        put_call(ram, AT["outer"], AT["leaf"])  # the function before ends with a call
        assert not follows_call(kernel(ram), AT["outer"])
        assert not follows_call(kernel(ram), AT["outer"], "middle")
        assert follows_call(kernel(ram), AT["outer"], "leaf")

    @pytest.mark.parametrize("target", ["machine_kexec", "leaf"])
    def test_call_target_forwards_and_backwards(self, target: str) -> None:
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
    def test_pushes(self, code: bytes, expected: list[int]) -> None:
        ram = Ram()
        ram.put(AT["leaf"], code + b"\x90" * 48)
        assert pushes(kernel(ram), AT["leaf"]) == expected
        assert pushes(kernel(Ram()), AT["leaf"]) == []


class TestStarts:
    def test_from_registers(self) -> None:
        start = from_registers({"rip": 1, "rsp": 2, "rbp": 3, "r10": 4})
        assert (start.pc, start.sp, start.fp, start.signal, start.reliable) == (1, 2, 3, True, True)
        assert start.registers["r10"] == 4

    @pytest.mark.parametrize("name, newborn", [("middle", False), ("ret_from_fork", True)])
    def test_from_sleep(self, name: str, newborn: bool) -> None:
        """struct inactive_task_frame lies at thread.sp; a task that never ran begins at ret_from_fork itself."""
        ram = Ram()
        address = AT[name] if newborn else ret(name)
        ram.words(SP, 15, 14, 13, 12, 3, 0xB0, address)
        start = from_sleep(kernel(ram), 0, SP)
        assert (start.pc, start.fp, start.sp, start.signal) == (address, 0xB0, SP + 56, newborn)

    def test_from_sleep_by_the_kernels_own_types(self) -> None:
        members = {"bp": Member("bp", 32, 8, "uint", 0), "ret_addr": Member("ret_addr", 40, 8, "uint", 0)}
        ram = Ram()
        ram.words(SP, 1, 2, 3, 4, 0xB0, ret("middle"))
        found = kernel(ram, types=FakeTypes(inactive_task_frame=(48, members)))
        start = from_sleep(found, 0, SP)
        assert (start.pc, start.fp, start.sp) == (ret("middle"), 0xB0, SP + 48)
