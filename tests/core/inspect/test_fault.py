"""The end of the sentence: which instruction, with which register, whose value, given by whom, for which member."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cases import DUMPS, case_of
from oopscope import instructions
from oopscope.boot.attach import open_kernel
from oopscope.inspect.disassemble import spelt_operands
from oopscope.inspect.origin import Body, origin
from oopscope.instructions import decoder
from oopscope.machine import arch
from oopscope.machine.x86_64.machine import MACHINE
from oopscope.report.build import verdict_section
from oopscope.report.fault import how
from oopscope.triage import verdict

START = 0xFFFFFFFF81000000


def body(code: bytes) -> Body:
    kernel = SimpleNamespace(arch=arch("x86_64"), machine=MACHINE, memory=SimpleNamespace(top=1 << 64))
    made = decoder("x86", ("64",), "att")
    assert made is not None
    texts = {at: f"{name} {spelt_operands(kernel, words)}" for at, _, name, words in made.texts(code, START)}
    return Body(kernel, START, made.details(code, START), texts)


def last(code: bytes) -> int:
    return body(code).instructions[-1].address


LOAD = bytes.fromhex("488b4728")  # mov 0x28(%rdi),%rax


@pytest.mark.parametrize(
    "code, kind, number",
    [
        (LOAD, "argument", 1),
        (bytes.fromhex("4889f7") + LOAD, "argument", 2),  # mov %rsi,%rdi
        (bytes.fromhex("31ff") + LOAD, "constant", 0),  # xor %edi,%edi
        (bytes.fromhex("bf10000000") + LOAD, "constant", 0x10),  # mov $0x10,%edi
        (bytes.fromhex("488b7e18") + LOAD, "loaded", 0),  # mov 0x18(%rsi),%rdi
        (bytes.fromhex("e8000000004889c7") + LOAD, "returned", 0),  # call; mov %rax,%rdi
        (bytes.fromhex("48c1e720") + LOAD, "computed", 0),  # shl $0x20,%rdi
        (bytes.fromhex("7405bf10000000") + LOAD, None, 0),  # je over mov $0x10,%edi: an argument or 0x10
        (bytes.fromhex("e800000000") + LOAD, None, 0),  # a call loses rdi
        (bytes.fromhex("eb02c3cc") + LOAD, "argument", 1),  # jmp over what never runs
    ],
)
def test_where_a_register_got_its_value(code: bytes, kind: str, number: int) -> None:
    found = origin(body(code), last(code), "rdi")
    assert (found.kind if found else None) == kind
    assert found is None or found.number == number


def test_a_loop_that_changes_the_register_leaves_no_one_answer() -> None:
    code = bytes.fromhex("488b4728488b3f75f7")  # mov 0x28(%rdi),%rax; mov (%rdi),%rdi; jne to the start
    assert origin(body(code), START, "rdi") is None


def test_of_a_load_the_register_and_the_displacement_are_told() -> None:
    code = bytes.fromhex("488b7e18") + LOAD
    found = origin(body(code), last(code), "rdi")
    assert found is not None
    assert (found.base, found.displacement) == ("rsi", 0x18)


@pytest.mark.parametrize(
    "name, formula, value, passed_by",
    [
        ("6.1-null", "rdi + 0x28", 0, "labcrash_init+0x97 [labcrash]: NULL, written in the code: xorl %edi,%edi"),
        ("6.1-gpf", "rdi + 0x28", 0xDEAD4EAD00000000, "labcrash_init+0xe3 [labcrash]: computed: shlq $0x20,%rdi"),
        ("6.1-paging", "rdi + 0x28", 0xFFFFEA00DEADB000, "a constant, 0xffffea00deadb000"),
        ("6.1-irq", "rdi + 0x28", 0x10, "lab_in_irq+0x1b [labcrash]: a constant, 0x10: movl $0x10,%edi"),
        ("7.2-list", "rdx + 0x8", 0x42, None),
    ],
)
def test_the_faults_of_real_dumps(name: str, formula: str, value: int, passed_by: str) -> None:
    fault = verdict(case_of(name).kernel).fault
    assert fault is not None
    assert (fault.formula, fault.value) == (formula, value)
    assert fault.register == formula.partition(" ")[0]
    assert (passed_by in (fault.passed_by or "")) if passed_by else fault.passed_by is None


def test_a_member_is_named_by_the_types_of_the_function() -> None:
    fault = verdict(case_of("7.2-list").kernel).fault
    assert fault is not None
    assert [(one.type, one.member, one.sure) for one in fault.candidates] == [("struct list_head", "prev", True)]


def test_a_module_without_types_gives_no_member_that_would_be_a_guess_among_all() -> None:
    fault = verdict(case_of("6.1-null").kernel).fault
    assert fault is not None
    assert fault.candidates == ()


@pytest.mark.parametrize("name", ["6.1-deadlock", "6.12-sysrq", "7.3-oom", "6.1-panic"])
def test_what_was_no_fault_has_none(name: str) -> None:
    assert verdict(case_of(name).kernel).fault is None


def test_the_report_has_it_as_data_and_as_lines() -> None:
    data = verdict_section(case_of("6.1-null").kernel)["fault"]
    assert data["instruction"] == "movq 0x28(%rdi),%rax"
    assert (data["address"], data["register"], data["value"], data["points_at"]) == ("0x28", "rdi", "0x0", "NULL")
    assert data["candidates"] is None
    assert how(data)[1] == ("it", "reads rdi + 0x28 = 0x28; rdi held NULL")


@pytest.mark.parametrize("name", ["6.1-null", "6.1-gpf", "6.1-paging", "6.1-irq", "7.2-list", "6.1-div0"])
def test_the_log_alone_tells_the_same_instruction_and_operand(name: str) -> None:
    whole = verdict(case_of(name).kernel).fault
    alone = verdict(open_kernel([DUMPS / f"{name}.dmesg.txt"])).fault
    assert whole is not None
    assert alone is not None
    assert (alone.instruction, alone.formula, alone.register, alone.value) == (
        whole.instruction,
        whole.formula,
        whole.register,
        whole.value,
    )
    assert (alone.steps, alone.candidates) == ((), ())


ARM64_LOAD = bytes.fromhex("001440f9")  # ldr x0, [x0, #0x28]


def arm64_body(code: bytes) -> Body:
    machine = importlib.import_module(arch("aarch64").module).MACHINE
    kernel = SimpleNamespace(arch=arch("aarch64"), machine=machine, memory=SimpleNamespace(top=1 << 64))
    made = decoder("arm64", (), None)
    assert made is not None
    texts = {at: f"{name} {words}" for at, _, name, words in made.texts(code, START)}
    return Body(kernel, START, made.details(code, START), texts)


@pytest.mark.parametrize(
    "before, kind, number",
    [
        ("", "argument", 1),
        ("e00301aa", "argument", 2),  # mov x0, x1
        ("000080d2", "constant", 0),  # mov x0, #0
        ("e0031faa", "constant", 0),  # mov x0, xzr
        ("00008012", "constant", 0xFFFFFFFF),  # mov w0, #-1
        ("200c40f9", "loaded", 0),  # ldr x0, [x1, #0x18]
        ("000000a9", "argument", 1),  # stp x0, x0, [x0]
        ("010440f8", "computed", 0),  # ldr x1, [x0], #0: it moves x0 on
        ("80000058", "computed", 0),  # ldr x0, #0x10: what lies in the code
        ("0000009400000014", None, 0),  # bl; b
        ("40000054000080d2", None, 0),  # b.eq over mov x0, #0
        ("a00000b400400091", None, 0),  # cbz x0 to nowhere here; add x0, x0, #0x10
    ],
)
def test_where_a_register_of_arm64_got_its_value(before: str, kind: str | None, number: int) -> None:
    found = arm64_body(bytes.fromhex(before) + ARM64_LOAD)
    made = origin(found, found.instructions[-1].address, "x0")
    if kind is None:
        assert made is None or made.kind != "argument"
    else:
        assert made is not None
        assert (made.kind, made.number) == (kind, number)


def test_the_log_of_an_arm64_oops_tells_operand_and_register() -> None:
    """Its code is printed as numbers, which lie in memory the other way about."""
    fault = verdict(open_kernel([Path(__file__).with_name("arm64-null.txt")])).fault
    assert fault is not None
    assert (fault.instruction, fault.formula, fault.address) == ("ldr x0,[x0,#0x28]", "x0 + 0x28", 0x28)
    assert (fault.register, fault.value) == ("x0", 0)


def test_without_capstone_the_machines_own_tables_reckon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "capstone", None)
    monkeypatch.setattr(instructions, "_library", lambda: None)
    fault = verdict(open_kernel([Path(__file__).with_name("arm64-null.txt")])).fault
    assert fault is not None
    assert (fault.instruction, fault.formula, fault.register) == ("ldr", "x0 + 0x28", "x0")
