"""Code as it stands in the dump, and what an instruction was about to do with its registers."""

import sys
from typing import Any

import pytest

from cases import case_of
from oopscope.errors import ReadError
from oopscope.inspect.disassemble import UNKNOWN, WITHOUT, bounds, code_line, disassemble
from oopscope.inspect.operands import context_of, deed
from oopscope.stacks.cpus import all_cpus


def fault(name: str) -> Any:
    """The innermost frame of the CPU that died, its function's code, and what its instruction did."""
    kernel = case_of(name).kernel
    frame = all_cpus(kernel)[0].frames[0]
    context = context_of(kernel, frame.address, frame.sp)
    return frame, disassemble(kernel, frame.address), deed(kernel, frame.address, context)


def test_a_null_pointer_is_reckoned_from_its_register() -> None:
    frame, code, done = fault("6.1-null")
    assert code.name.symbol == "lab_read_balance.isra.0" and code.start == frame.address - 5
    assert [one.text for one in code.instructions][:3] == ["nopl   (%rax,%rax)", "movq   0x28(%rdi),%rax", "retq"]
    assert code.instructions[0].note == "ftrace's place, off"
    assert done.text == "movq 0x28(%rdi),%rax"
    (access,) = done.accesses
    assert access[:4] == ("reads", "rdi + 0x28", 0x28, 8) and str(access.meaning) == "NULL + 0x28"
    assert [(name, value) for name, value, _ in done.registers] == [("rdi", 0)]


def test_other_deaths() -> None:
    _, _, done = fault("6.1-div0")
    assert done.note == "divides by rcx, which is 0"
    _, _, done = fault("6.1-gpf")
    assert done.accesses[0].address == 0xDEAD4EAD00000028
    assert str(done.accesses[0].meaning) == "no address: not canonical"
    _, _, done = fault("7.2-bug")
    assert done.text == "ud2" and done.note == "where BUG() and WARN() stop"
    _, _, done = fault("6.12-overflow")
    verbs = {access.verb: access for access in done.accesses}
    assert any("guard page below the stack of" in str(access.meaning) for access in verbs.values())


def test_registers_that_an_interrupt_saved() -> None:
    """The idle task that a timer interrupted: its registers stand on its own stack, below its stack pointer."""
    kernel = case_of("6.1-irq").kernel
    frames = all_cpus(kernel)[0].frames
    at = next(at for at, frame in enumerate(frames) if (frame.symbol or "").startswith("asm_sysvec"))
    inner, entry = frames[at + 1], frames[at]
    context = context_of(kernel, inner.address, inner.sp)
    assert context.registers["rip"] == inner.address and context.registers["rsp"] == inner.sp
    assert context.cpu == all_cpus(kernel)[0].cpu and context.task.pid == 0
    assert context_of(kernel, entry.address, entry.sp) is None  # a return address has none


def test_calls_are_named() -> None:
    kernel = case_of("6.1-null").kernel
    frames = all_cpus(kernel)[0].frames
    code = disassemble(kernel, frames[1].address)  # labcrash_init, that called it
    before = [one for one in code.instructions if one.address < frames[1].address][-1]
    assert before.text.startswith("callq") and before.note == "lab_read_balance.isra.0 [labcrash]"
    assert before.target == frames[0].address - 5
    strings = [one.note for one in code.instructions if one.note.startswith("strcmp")]
    assert strings
    jumps = [
        one for one in code.instructions if one.text.startswith("j") and code.start <= (one.target or 0) < code.end
    ]
    assert jumps and all(one.note == f"+{one.target - code.start:#x}" for one in jumps)


def test_bounds_are_the_symbols() -> None:
    kernel = case_of("6.1-null").kernel
    start = kernel.symbol("schedule")
    found = [bounds(kernel, start + past) for past in (0, 4, 20)]
    assert {(first, name.symbol) for first, _, name in found} == {(start, "schedule")}
    end = found[0][1]
    assert kernel.name_of(end - 1).symbol == "schedule" and kernel.name_of(end).symbol != "schedule"
    assert bounds(kernel, 0x6B6B6B6B6B6B6B6B)[2] is None


def test_the_bytes_are_an_oops_code_line() -> None:
    """The kernel printed the same line in its own oops."""
    case = case_of("6.1-null")
    frame = all_cpus(case.kernel)[0].frames[0]
    printed = next(line for line in case.path.with_suffix(".dmesg.txt").read_text().splitlines() if "Code: " in line)
    assert code_line(case.kernel, frame.address) == printed.partition("Code: ")[2].strip()


def test_a_machine_that_capstone_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """No advice to install what is there."""
    kernel = case_of("6.1-null").kernel
    assembly = kernel.machine.assembly
    assert assembly is not None
    monkeypatch.setattr(kernel, "machine", kernel.machine._replace(assembly=assembly._replace(arch="loongarch")))
    code = disassemble(kernel, all_cpus(kernel)[0].frames[0].address)
    assert (code.instructions, code.why) == ((), UNKNOWN)
    assert "<48> 8b 47 28" in code.line


def test_without_capstone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    kernel = case_of("6.1-null").kernel
    frame = all_cpus(kernel)[0].frames[0]
    code = disassemble(kernel, frame.address)
    assert code.instructions == () and code.why == WITHOUT
    assert "<48> 8b 47 28" in code.line
    assert deed(kernel, frame.address, context_of(kernel, frame.address, frame.sp)) is None


def test_what_cannot_be_read() -> None:
    kernel = case_of("6.1-null").kernel
    with pytest.raises(ReadError):
        disassemble(kernel, 0x6B6B6B6B6B6B6B6B)
    assert code_line(kernel, 0x10).count("??") == 64
