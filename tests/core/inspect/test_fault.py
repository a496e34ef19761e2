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
from oopscope.report.build import verdict_section
from oopscope.report.fault import how
from oopscope.triage import verdict

START = 0xFFFFFFFF81000000


def body(code: bytes, key: str = "x86_64") -> Body:
    kernel = SimpleNamespace(
        arch=arch(key),
        machine=importlib.import_module(f"oopscope.machine.{key}.machine").MACHINE,
        memory=SimpleNamespace(top=1 << 64, read=lambda at, size: code[at - START : at - START + size]),
        name_of=lambda _address: None,
    )
    kernel.memory.u32 = lambda at: int.from_bytes(kernel.memory.read(at, 4), kernel.arch.byteorder)
    how = kernel.machine.assembly
    made = decoder(how.arch, how.modes, how.syntax)
    assert made is not None
    texts = {at: f"{name} {spelt_operands(kernel, words)}" for at, _, name, words in made.texts(code, START)}
    return Body(kernel, START, made.details(code, START), texts)


def last(code: bytes, key: str = "x86_64") -> int:
    return body(code, key).instructions[-1].address


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


# Of each machine: a load by its first argument, and what may stand before it.
OTHERS = {
    "riscv64": {
        "load": "1c75",  # ld a5,40(a0)
        "copy": "2e85",  # mv a0,a1
        "constant": "4145",  # li a0,16
        "zero": "0145",  # li a0,0
        "loaded": "886d",  # ld a0,24(a1)
        "call": "ef004000",
        "store": "88e1",  # sd a0,0(a1)
        "shift": "0a05",  # slli a0,a0,2
        "skip": "91c34145",  # beqz a5 over li a0,16
    },
    "s390x": {
        "load": "e31020280004",  # lg %r1,40(%r2)
        "copy": "b9040023",  # lgr %r2,%r3
        "constant": "a7290010",  # lghi %r2,16
        "zero": "a7290000",
        "loaded": "e32030180004",  # lg %r2,24(%r3)
        "call": "c0e500000003",
        "store": "e32030000024e32030000021",  # stg %r2,0(%r3); clg %r2,0(%r3)
        "shift": "eb220002000d",  # sllg %r2,%r2,2
        "skip": "a7840004a7290010",  # je over lghi %r2,16
    },
    "powerpc": {
        "load": "280023e9",  # ld r9,40(r3)
        "copy": "7823837c",  # mr r3,r4
        "constant": "10006038",  # li r3,16
        "zero": "00006038",
        "loaded": "180064e8",  # ld r3,24(r4)
        "call": "05000048",
        "store": "000064f8",  # std r3,0(r4)
        "shift": "64176378",  # sldi r3,r3,2
        "skip": "0800824110006038",  # beq over li r3,16
    },
}


@pytest.mark.parametrize("key", OTHERS)
def test_where_a_register_got_its_value_on_other_machines(key: str) -> None:
    words = {name: bytes.fromhex(text) for name, text in OTHERS[key].items()}
    first, second = arch(key).convention.arguments[:2]

    def found(*names: str) -> tuple[str, int, str] | None:
        code = b"".join(words[name] for name in (*names, "load"))
        made = origin(body(code, key), last(code, key), first)
        return (made.kind, made.number, made.base) if made is not None else None

    assert found() == found("store") == ("argument", 1, "")
    assert found("copy") == ("argument", 2, "")
    assert found("constant") == ("constant", 16, "")
    assert found("zero") == ("constant", 0, "")
    assert found("loaded") == ("loaded", 0, second)
    assert found("call") == ("returned", 0, "")
    assert found("shift") == ("computed", 0, "")
    assert found("skip") is None


@pytest.mark.parametrize(
    "key, code, written",
    [
        ("s390x", "b9870045", {"r4", "r5"}),  # dlgr %r4,%r5: quotient and remainder
        ("s390x", "ebe4f0000004", {"r14", "r15", "r0", "r1", "r2", "r3", "r4"}),  # lmg %r14,%r4,0(%r15)
        ("s390x", "ec2300058065", set()),  # clgrje %r2,%r3
        ("powerpc", "090083e8", {"gpr3", "gpr4"}),  # ldu r4,8(r3)
        ("powerpc", "e1ff21f8", {"gpr1"}),  # stdu r1,-32(r1)
    ],
)
def test_which_registers_an_instruction_writes(key: str, code: str, written: set[str]) -> None:
    assert body(bytes.fromhex(code), key).written(0) - {"cc"} == written


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


S390_FAULT = """\
[   12.000001] Unable to handle kernel pointer dereference in virtual kernel address space
[   12.000002] Failing address: 0000002800000000 TEID: 0000002800000803
[   12.000003] Fault in home space mode while using kernel ASCE.
[   12.000004] Oops: 003b ilc:3 [#1] SMP
[   12.000005] CPU: 1 UID: 0 PID: 77 Comm: reader Not tainted 6.12.107+deb13-s390x #1
[   12.000006] Krnl PSW : 0704c00180000000 000003ff80002028 (read_it+0x8/0x40 [made])
[   12.000007] Krnl GPRS: 0000000000000000 0000000000000001 0000002800000000 0000000000000003
[   12.000008]            0000000000000004 0000000000000005 0000000000000006 0000000000000007
[   12.000009]            0000000000000008 0000000000000009 000000000000000a 000000000000000b
[   12.000010]            000000000000000c 000000000000000d 000000000000000e 000003ff8000f000
[   12.000011] Krnl Code: 000003ff80002020: c0040000000 brcl 0,000003ff80002020
[   12.000012]           #000003ff80002026: 1822 lr %r2,%r2
[   12.000013]           >000003ff80002028: e31020280004 lg %r1,40(%r2)
[   12.000014]            000003ff8000202e: 07fe bcr 15,%r14
[   12.000015] Call Trace:
[   12.000016]  [<000003ff80002028>] read_it+0x8/0x40 [made]
[   12.000017] Kernel panic - not syncing: Fatal exception: panic_on_oops
"""


def test_the_log_of_an_s390_oops_tells_operand_and_register(tmp_path: Path) -> None:
    """Its instructions are listed, the one at the PSW's address with a mark."""
    (tmp_path / "s390.txt").write_text(S390_FAULT)
    fault = verdict(open_kernel([tmp_path / "s390.txt"])).fault
    assert fault is not None
    assert (fault.formula, fault.register, fault.value) == ("r2 + 0x28", "r2", 0x2800000000)
    assert (fault.verb, fault.instruction) == ("reads", "lg %r1,0x28(%r2)")


def test_an_s390_bug_stopped_before_the_psw() -> None:
    memory = SimpleNamespace(read=lambda address, size: bytes.fromhex("c0e5ffffe9e2af000000")[-size:])
    kernel = SimpleNamespace(memory=memory)
    assert importlib.import_module("oopscope.machine.s390x.code").stopped_at(kernel, 0x1000) == 0xFFC


RISCV_FAULT = """\
[   12.000001] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000028
[   12.000002] Oops [#1]
[   12.000003] CPU: 1 UID: 0 PID: 77 Comm: reader Not tainted 6.12.117+deb13-riscv64 #1
[   12.000004] epc : read_it+0x8/0x40 [made]
[   12.000005]  ra : caller+0x18/0x40 [made]
[   12.000006] epc : ffffffff01ab2008 ra : ffffffff01ab2058 sp : ff20000000a03d00
[   12.000007]  gp : ffffffff81f2a3c8 tp : ff60000002a28000 t0 : 0000000000000040
[   12.000008]  s0 : ff20000000a03d20 s1 : 0000000000000001 a0 : 0000000000000000
[   12.000009] status: 0000000200000120 badaddr: 0000000000000028 cause: 000000000000000d
[   12.000010] Code: 0141 8082 1141 e422 (3503) 0285 0113
[   12.000011] ---[ end trace 0000000000000000 ]---
[   12.000012] Kernel panic - not syncing: Fatal exception
"""
POWERPC_FAULT = """\
[   12.000001] BUG: Kernel NULL pointer dereference on read at 0x00000028
[   12.000002] Faulting instruction address: 0xc008000000d42008
[   12.000003] Oops: Kernel access of bad area, sig: 11 [#1]
[   12.000004] LE PAGE_SIZE=4K MMU=Radix SMP NR_CPUS=2048 NUMA pSeries
[   12.000005] CPU: 1 UID: 0 PID: 77 Comm: reader Not tainted 6.12.107+deb13-powerpc64le #1
[   12.000006] NIP:  c008000000d42008 LR: c008000000d42058 CTR: c0000000001417b8
[   12.000007] REGS: c000000002f5f740 TRAP: 0300   Not tainted  (6.12.107+deb13-powerpc64le)
[   12.000008] MSR:  8000000000009033 <SF,EE,ME,IR,DR,RI,LE>  CR: 24002882  XER: 00000000
[   12.000009] CFAR: c008000000d42054 DAR: 0000000000000028 DSISR: 40000000 IRQMASK: 0
[   12.000010] GPR00: c008000000d42058 c000000002f5f9e0 c000000001a5a100 0000000000000000
[   12.000011] GPR04: 0000000000000001 0000000000000002 0000000000000000 0000000000000000
[   12.000012] NIP [c008000000d42008] read_it+0x8/0x40 [made]
[   12.000013] LR [c008000000d42058] caller+0x18/0x40 [made]
[   12.000014] Code: 60000000 7c0802a6 60000000 <e8630028> 4e800020 60000000
[   12.000015] ---[ end trace 0000000000000000 ]---
[   12.000016] Kernel panic - not syncing: Fatal exception
"""


@pytest.mark.parametrize(
    "text, instruction, formula",
    [
        (RISCV_FAULT, "ld a0,0x28(a0)", "a0 + 0x28"),  # printed by half words
        (POWERPC_FAULT, "ld r3,0x28(r3)", "gpr3 + 0x28"),
    ],
)
def test_the_logs_of_other_machines(text: str, instruction: str, formula: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(text)
    fault = verdict(open_kernel([tmp_path / "log.txt"])).fault
    assert fault is not None
    assert (fault.instruction, fault.formula, fault.address) == (instruction, formula, 0x28)
    assert fault.value == 0
