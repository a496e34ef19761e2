"""PID 1 died: of itself, or of an oops while it was in the kernel, which then is the cause."""

from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict

KILLED = "[    4.330000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"
X86 = """[    4.074100] BUG: kernel NULL pointer dereference, address: {address}
[    4.082186] Oops: 0000 [#1] PREEMPT SMP NOPTI
[    4.087531] CPU: 0 PID: {pid} Comm: storaged Not tainted 6.1.0 #1
[    4.100408] RIP: 0010:{pc}
[    4.200000] Call Trace:
[    4.200001]  store_sync+0x8/0x20 [stored]
[    4.320000] ---[ end trace 0000000000000000 ]---"""
RISCV = """[    4.074100] Unable to handle kernel paging request at virtual address ffffffac9704deeb
[    4.082186] Oops [#1]
[    4.087531] CPU: 0 PID: 1 Comm: storaged Not tainted 5.18.0 #1
[    4.107758] epc : ffffffff802ee0f6 ra : ffffffff80282134 sp : ffffffc80400bbb0
[    4.300000] status: 0000000200000120 badaddr: ffffffac9704deeb cause: 000000000000000d
[    4.310000] [<ffffffff802ee0f6>] store_put+0x2a/0xfa
[    4.320000] ---[ end trace 0000000000000000 ]---"""


def judged(tmp_path: Path, text: str) -> Verdict:
    """Judge a log."""
    (tmp_path / "dmesg.txt").write_text(f"{text}\n{KILLED}\n")
    return verdict(open_kernel([tmp_path / "dmesg.txt"]))


@pytest.mark.parametrize(
    ("oops", "cause"),
    [(X86.format(pid=1, address="0" * 14 + "18", pc="store_put+0x2a/0xfa"), "null-pointer-dereference"),
     (RISCV, "bad-page-fault")],
)  # fmt: skip
def test_an_oops_that_it_died_of_is_the_cause(oops: str, cause: str, tmp_path: Path) -> None:
    found = judged(tmp_path, oops)
    assert (found.cause, found.symbol) == (cause, "store_put+0x2a")


def test_an_oops_of_another_task_is_not(tmp_path: Path) -> None:
    oops = X86.format(pid=77, address="0" * 14 + "18", pc="store_put+0x2a/0xfa")
    assert judged(tmp_path, oops).cause == "init-killed"


def test_a_call_through_a_null_pointer_asks_who_sets_it(tmp_path: Path) -> None:
    found = judged(tmp_path, X86.format(pid=1, address="0" * 16, pc="0x0"))
    assert (found.cause, found.symbol) == ("null-pointer-dereference", "store_sync+0x8")
    assert "function pointer" in found.next_steps[0]


@pytest.mark.parametrize(
    ("said", "evidence"),
    [("init[1]: segfault at 18 ip 00007f2bd6b2a3d4 sp 00007ffd7c5fd1c0 error 4 in libc.so.6[7f2bd6ac5000+195000]", 2),
     ("traps: init[1] general protection ip:b7677b33 sp:bfa5762c error:0 in libc-2.26.so[b752d000+1c5000]", 2),
     ("other[71]: segfault at 18 ip 00007f2bd6b2a3d4 sp 00007ffd7c5fd1c0 error 4 in libc.so.6[7f2bd6ac5000+1]", 1)],
)  # fmt: skip
def test_its_own_fault_is_evidence(said: str, evidence: int, tmp_path: Path) -> None:
    found = judged(tmp_path, f"[    4.200000] {said}")
    assert (found.cause, len(found.evidence)) == ("init-killed", evidence)
    assert "SIGSEGV" in found.summary


def test_a_page_that_the_disk_did_not_give(tmp_path: Path) -> None:
    disk = "[    4.100000] I/O error, dev sdc, sector 1234567 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 0"
    path = tmp_path / "dmesg.txt"
    path.write_text(f"{disk}\n{KILLED.replace('0b', '07')}\n")
    found = verdict(open_kernel([path]))
    assert (found.cause, len(found.evidence)) == ("init-killed", 2)
    assert "SIGBUS" in found.summary
    assert "sdc" in found.summary
    path.write_text(f"{disk}\n{KILLED}\n")  # SIGSEGV
    assert "sdc" not in verdict(open_kernel([path])).summary
