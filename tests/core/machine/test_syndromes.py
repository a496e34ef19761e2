"""The numbers that processors give their exceptions, in words."""

from pathlib import Path

import pytest

from core.inspect.test_fault import POWERPC_FAULT, RISCV_FAULT, S390_FAULT
from oopscope.boot.attach import open_kernel
from oopscope.machine.aarch64 import syndromes as arm64
from oopscope.machine.powerpc import syndromes as powerpc
from oopscope.machine.riscv64 import syndromes as riscv64
from oopscope.machine.s390x import syndromes as s390x
from oopscope.triage import verdict


@pytest.mark.parametrize(
    "esr, words",
    [
        (0x96000006, "a data access of the kernel, read: translation fault, level 2"),
        (0x9600004F, "a data access of the kernel, write: permission fault, level 3"),
        (0x8600000F, "an instruction fetch of the kernel: permission fault, level 3"),
        (0x96000147, "a data access of the kernel, a cache operation: translation fault, level 3"),
        (0x96000010, "a data access of the kernel, read: synchronous external abort"),
        (0x96000017, "a data access of the kernel, read: the page tables' walk: synchronous external abort, level 3"),
        (0x9600001E, "a data access of the kernel, read: the page tables' walk: parity or ECC error, level 2"),
        (0x96000021, "a data access of the kernel, read: alignment fault"),
        (0x9600002B, "a data access of the kernel, read: translation fault, level -1"),
        (0xF2000800, "a BRK instruction, number 0x800"),
        (0x02000000, "an undefined instruction"),
        (0xBF000002, "an SError: an asynchronous error of memory or a device"),
        (0x0C000000, ""),
    ],
)
def test_arm64(esr: int, words: str) -> None:
    assert arm64.words(esr) == words


def test_riscv64() -> None:
    assert riscv64.words(13) == "a load from a page that is not there or must not be read"
    assert riscv64.words(1 << 63 | 5) == "a timer interrupt"
    assert riscv64.words(14) == ""
    assert riscv64.about_register(None, "status", 0x200000120) == "the kernel, interrupts on"
    assert riscv64.about_register(None, "cause", 3) == "a breakpoint (EBREAK)"
    assert riscv64.about_register(None, "a0", 3) is None


def test_powerpc() -> None:
    assert powerpc.trap(0x301) == "a data access (DSI)"
    assert powerpc.dsisr(0x42000000) == "no translation, a store"
    words = "the kernel, interrupts on, machine checks on, code translated, data translated, little-endian"
    assert powerpc.about_register(None, "msr", 0x8000000000009033) == words
    assert powerpc.about_register(None, "dsisr", 0) is None
    assert powerpc.about_register(None, "gpr3", 0x300) is None


def test_s390x() -> None:
    assert s390x.code(0x3B) == "a region-third table that is not there"
    assert s390x.code(0x84) == "protection: storage that must not be used so"
    assert s390x.code(0x7F) == ""
    assert s390x.psw(0x0704C00180000000) == "the kernel, home space, condition code 0"
    masked = "the kernel, home space, condition code 0; masked: I/O, external"
    assert s390x.about_register(None, "psw_mask", 0x0404C00180000000) == masked
    assert s390x.about_register(None, "r1", 5) is None


@pytest.mark.parametrize(
    "text, words",
    [
        (S390_FAULT, "program interruption 003b: a region-third table that is not there"),
        (RISCV_FAULT, "cause 000000000000000d: a load from a page that is not there or must not be read"),
        (POWERPC_FAULT, "TRAP 0300: a data access (DSI)"),
        (POWERPC_FAULT, "DSISR 40000000: no translation"),
    ],
)
def test_the_verdict_has_them_as_evidence(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(text)
    assert words in [one.text for one in verdict(open_kernel([tmp_path / "log.txt"])).evidence]


def test_arm64s_is_told_once() -> None:
    found = verdict(open_kernel([Path(__file__).parents[1] / "inspect" / "arm64-null.txt"]))
    assert [one.text for one in found.evidence if one.text.startswith("ESR")] == [
        "ESR 0000000096000006: a data access of the kernel, read: translation fault, level 2"
    ]


WILD = """\
[   28.250001] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000000
[   28.250002] Internal error: Oops: 0000000086000006 [#1] SMP
[   28.250003] CPU: 1 UID: 0 PID: 288 Comm: sh Tainted: G           OE      6.12.117+deb13-cloud-arm64 #1
[   28.250004] pc : 0x0
[   28.250005] lr : qa_set+0x294/0x338 [qafault]
[   28.250006] sp : ffff800080583a70
[   28.250007] Call trace:
[   28.250008]  0x0
[   28.250009]  param_attr_store+0xa8/0x100
[   28.250010]  module_attr_store+0x2c/0x50
[   28.250011] Kernel panic - not syncing: Oops: Fatal exception
[   28.250012] Call trace:
[   28.250013]  panic+0x364/0x3c8
"""
MISNAMED = """\
[   28.250001] Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: qa_smash+0x78/0x78 [qafault]
[   28.250002] CPU: 1 UID: 0 PID: 288 Comm: sh Tainted: G           OE      6.12.117+deb13-cloud-arm64 #1
[   28.250003] Call trace:
[   28.250004]  panic+0x364/0x3c8
[   28.250005]  rcu_irq_work_resched+0x0/0x88
[   28.250006]  qa_smash+0x78/0x78 [qafault]
[   28.250007]  qa_set+0x100/0x338 [qafault]
[   28.250008] ---[ end Kernel panic - not syncing: stack-protector ]---
"""


@pytest.mark.parametrize(
    "text, symbol",
    [
        (WILD, "qa_set+0x294"),  # the trace leaves out who called what is no code: the link register has it
        (MISNAMED, "qa_smash+0x78"),  # behind a call that never returns stands another function
    ],
)
def test_whom_a_log_of_arm64_blames(text: str, symbol: str, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(text)
    assert (verdict(open_kernel([tmp_path / "log.txt"])).symbol or "").startswith(symbol)
