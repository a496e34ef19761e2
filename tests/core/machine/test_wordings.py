"""Every machine's words of an oops, on lines that its kernels printed."""

import re
from pathlib import Path

import pytest

from oopscope.klog import detail
from oopscope.klog.wordings import DIE, KEY
from oopscope.machine import MACHINES, all_wordings, wordings
from oopscope.machine.common.wordings import Wordings, detect

FAULTS = [
    ("x86_64", "BUG: kernel NULL pointer dereference, address: 0000000000000008", "null", 8),
    ("x86_64", "BUG: unable to handle kernel NULL pointer dereference at 0000000000000018", "null", 0x18),
    ("x86_64", "BUG: unable to handle page fault for address: ffffc900001fc000", "page", 0xFFFFC900001FC000),
    ("x86_64", "BUG: unable to handle kernel paging request at ffff88003a", "page", 0xFFFF88003A),
    (
        "x86_64",
        "general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP",
        "protection",
        0xDEAD000000000100,
    ),
    ("x86_64", "kernel BUG at mm/slub.c:379!", "bug", None),
    ("x86_64", "divide error: 0000 [#1] SMP PTI", "divide", None),
    ("x86_64", "BUG: TASK stack guard page was hit at 00000000a8a6d4b5", "stack", None),
    ("i386", "BUG: unable to handle kernel NULL pointer dereference at 00000008", "null", 8),
    ("aarch64", "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010", "null", 0x10),
    (
        "aarch64",
        "Unable to handle kernel paging request at virtual address dead000000000108",
        "page",
        0xDEAD000000000108,
    ),
    (
        "aarch64",
        "Unable to handle kernel write to read-only memory at virtual address ffff800008a30000",
        "page",
        0xFFFF800008A30000,
    ),
    (
        "aarch64",
        "Unable to handle kernel execute from non-executable memory at virtual address ffff000003c18000",
        "execute",
        0xFFFF000003C18000,
    ),
    ("aarch64", "SError Interrupt on CPU6, code 0x00000000be000011 -- SError", "memory error", None),
    ("s390x", "Unable to handle kernel pointer dereference in virtual kernel address space", "page", None),
    ("s390x", "illegal operation: 0001 ilc:1 [#1] SMP", "opcode", None),
    ("powerpc", "BUG: Kernel NULL pointer dereference on write at 0x00000000", "null", 0),
    ("powerpc", "Unable to handle kernel paging request for data at address 0x00000000", "page", 0),
    ("powerpc", "BUG: Unable to handle kernel data access at 0xc0000000deadbeef", "page", 0xC0000000DEADBEEF),
    ("riscv64", "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000", "null", 0),
    (
        "riscv64",
        "Unable to handle kernel paging request at virtual address ff2000000004c000",
        "page",
        0xFF2000000004C000,
    ),
    (
        "loongarch64",
        "CPU 0 Unable to handle kernel paging request at virtual address 0000000000000008, era == 90000000040f4b60",
        "null",
        8,
    ),
    (
        "loongarch64",
        "CPU 0 Unable to handle kernel paging request at virtual address ffff80001b898004, era == 9000000003137f7c",
        "page",
        0xFFFF80001B898004,
    ),
    ("loongarch64", "Oops - BUG[#1]:", "bug", None),
    ("loongarch64", "Reserved instruction in kernel code[#1]:", "opcode", None),
]


@pytest.mark.parametrize("machine, line, kind, address", FAULTS)
def test_what_went_wrong(machine: str, line: str, kind: str, address: int) -> None:
    words = wordings(machine)
    assert next(fault.kind for fault in words.faults if re.search(fault.pattern, line)) == kind
    assert words.fault_address_in(line) == address


DIED = [
    ("x86_64", "Oops: 0002 [#1] PREEMPT SMP NOPTI", ("Oops", "0002", "1")),
    ("x86_64", "Oops: Oops: 0000 [#2] SMP", ("Oops: Oops", "0000", "2")),
    ("x86_64", "invalid opcode: 0000 [#1] SMP", ("invalid opcode", "0000", "1")),
    ("aarch64", "Internal error: Oops: 0000000096000044 [#1] SMP", ("Internal error: Oops", "0000000096000044", "1")),
    (
        "aarch64",
        "Internal error: Oops - BUG: 00000000f2000800 [#1] SMP",
        ("Internal error: Oops - BUG", "00000000f2000800", "1"),
    ),
    ("s390x", "Oops: 0004 ilc:2 [#1] SMP", ("Oops", "0004", "1")),
    ("s390x", "illegal operation: 0001 [#1] SMP", ("illegal operation", "0001", "1")),
    ("powerpc", "Oops: Kernel access of bad area, sig: 11 [#1]", ("Oops: Kernel access of bad area", None, "1")),
    ("riscv64", "Oops [#1]", ("Oops", None, "1")),
    ("riscv64", "Kernel BUG [#3]", ("Kernel BUG", None, "3")),
    ("loongarch64", "Oops[#3]:", ("Oops", None, "3")),
    ("loongarch64", "Kernel ale access[#1]:", ("Kernel ale access", None, "1")),
]


@pytest.mark.parametrize("machine, line, told", DIED)
def test_the_line_of_die(machine: str, line: str, told: tuple[str, str, str]) -> None:
    found = DIE.match(line)
    assert found is not None
    assert (found["name"], found["code"], found["count"]) == told
    words = ("Oops", *wordings(machine).dies, *(first.words for first in wordings(machine).firsts))
    assert line.startswith(words)


STOOD = [
    ("x86_64", "RIP: 0010:lab_read_balance+0x5/0x14 [labcrash]", ("lab_read_balance", 0x5, "labcrash")),
    ("x86_64", "RIP: 0010:[<ffffffff81a5>]  [<ffffffff81a5>] f+0x16/0x20", ("f", 0x16, None)),
    ("i386", "EIP is at radeon_dvi_detect+0x2d8/0x3f0 [radeon]", ("radeon_dvi_detect", 0x2D8, "radeon")),
    ("i386", "EIP: sysrq_handle_crash+0x16/0x20", ("sysrq_handle_crash", 0x16, None)),
    ("aarch64", "pc : lab_null+0x10/0x20 [labcrash]", ("lab_null", 0x10, "labcrash")),
    ("aarch64", "PC is at sysrq_handle_crash+0x24/0x30", ("sysrq_handle_crash", 0x24, None)),
    ("s390x", "Krnl PSW : 0704c00180000000 00000000004fcc52 (f+0x62/0x68)", ("f", 0x62, None)),
    ("powerpc", "NIP [c00000000069d168] sysrq_handle_crash+0x28/0x30", ("sysrq_handle_crash", 0x28, None)),
    ("riscv64", "epc : sysrq_handle_crash+0xe/0x16", ("sysrq_handle_crash", 0xE, None)),
    ("loongarch64", "ERA: 9000000000eb8228 i8042_flush+0x58/0x160", ("i8042_flush", 0x58, None)),
    ("loongarch64", "era   : 9000000000e4ac1c f+0x10/0x20 [mod]", ("f", 0x10, "mod")),
]  # fmt: skip


@pytest.mark.parametrize("machine, line, place", STOOD)
def test_where_the_cpu_stood(machine: str, line: str, place: tuple[str, int, str]) -> None:
    found = detail.pc([line])
    assert found is not None
    assert (found.symbol, found.offset, found.module) == place
    assert any(line.startswith(pc.words) and re.match(pc.pattern, line) for pc in wordings(machine).pcs)
    if "PC is at" not in line:  # of arm too
        assert detect(["an empty line", line], all_wordings()) is wordings(machine)


def test_a_pc_that_is_no_code() -> None:
    for line, address in (("RIP: 0010:0x0", 0), ("pc : 0xdead000000000100", 0xDEAD000000000100)):
        found = detail.pc([line])
        assert found is not None and (found.symbol, found.address) == (None, address)


REGISTERS = [
    ("x86_64", ["RAX: 0000000000000001 RBX: 0000ffff R08: 0000000000000003"], {"rax": 1, "rbx": 0xFFFF, "r08": 3}),
    ("x86_64", ["RSP: 0018:ffffc90000137e80 EFLAGS: 00010246"], {"rsp": 0xFFFFC90000137E80, "eflags": 0x10246}),
    ("x86_64", ["RIP: 0010:[<ffffffff810>] f+0x1/0x2"], {}),
    ("i386", ["EAX: 00000001 EBX: 00000002 ECX: 00000003"], {"eax": 1, "ebx": 2, "ecx": 3}),
    ("aarch64", ["x29: 0000000000000001 x28: 0000000000000002 x0 : 00000003"], {"x29": 1, "x28": 2, "x0": 3}),
    ("aarch64", ["sp : ffff80000a3c", "pstate: 60400005 (nZCv daif)"], {"sp": 0xFFFF80000A3C}),
    (
        "s390x",
        [
            "AS:0000000001a0c007 R3:0000000000000024",  # no register
            "Krnl GPRS: 0000000000000001 0000000000000002 0000000000000003 0000000000000004",
            "           0000000000000005 0000000000000006 0000000000000007 0000000000000008",
        ],
        {f"r{n}": n + 1 for n in range(8)},
    ),
    ("powerpc", ["GPR04: 0000000000000001 0000000000000002"], {"gpr4": 1, "gpr5": 2}),
    (
        "loongarch64",
        [
            "pc 90000000001af410 ra 90000000001579b8 tp 9000000000698000 sp 90000000006b9a10",
            "t8 0000000000000007 u0 0000000000000008 s9 0000000000000009 s0 000000000000000a",
            "ESTAT: 00010000 [PIL] (IS= ECode=1 EsubCode=0)",
        ],
        {"pc": 0x90000000001AF410, "ra": 0x90000000001579B8, "tp": 0x9000000000698000, "sp": 0x90000000006B9A10}
        | {"t8": 7, "u0": 8, "s9": 9, "s0": 10, "estat": 0x10000},
    ),
    ("riscv64", [" t2 : ffffffff80e s0 : ff200000 s1 : 00000007"], {"t2": 0xFFFFFFFF80E, "s0": 0xFF200000, "s1": 7}),
    ("riscv64", ["           0000000000000005 0000000000000006 0000000000000007 0000000000000008"], {}),  # a stack
]  # fmt: skip


@pytest.mark.parametrize("machine, lines, found", REGISTERS)
def test_registers(machine: str, lines: list[str], found: dict[str, int]) -> None:
    assert detail.registers(lines) == found


@pytest.mark.parametrize("machine", [line.key for line in MACHINES])
def test_every_machine_says_how_it_words_an_oops(machine: str) -> None:
    words = wordings(machine)
    assert isinstance(words, Wordings)
    assert words.machine == machine
    assert words.faults and words.pcs and words.registers and words.mark
    patterns = (
        *(fault.pattern for fault in words.faults),
        *words.fault_address,
        *words.died,
        *words.links,
        *words.aside,
    )
    for pattern in (*patterns, *words.in_user, *words.fatal, *(pc.pattern for pc in words.pcs), words.registers):
        re.compile(pattern)
    assert not any(re.search(fault.pattern, "systemd[1]: Started a service.") for fault in words.faults)
    assert all(len(first.words) >= KEY for first in (*words.firsts, *words.headless))


def test_a_line_that_marks_a_machine_has_one_of_its_words() -> None:
    """The words are looked for first, and the expression only in lines that have one."""
    tests = Path(__file__).parents[2]
    texts = [
        path.read_text(errors="replace") for folder in ("logs", "dumps") for path in (tests / folder).rglob("*.txt")
    ]
    own = [case[1] for cases in (FAULTS, DIED, STOOD, REGISTERS) for case in cases]
    for line in own:
        texts += line if isinstance(line, list) else [line]
    marked = 0
    for words in all_wordings():
        for found in re.compile(words.mark, re.MULTILINE).finditer("\n".join(texts)):
            marked += 1
            assert any(word in found[0] for word in words.marked_by), (words.machine, found[0])
    assert marked > 100
