"""Tasks that were blocked for too long, as a log alone tells of them: for what, and behind whom."""

from pathlib import Path

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.triage import verdict
from oopscope.triage.finding import Verdict

BLOCKED = """INFO: task storaged:412 blocked for more than 120 seconds.
      Not tainted 6.1.0 #1
task:storaged        state:D stack:0     pid:412   ppid:2      flags:0x00004000
Call Trace:
 <TASK>
 __schedule+0x34d/0x9e0
 schedule+0x5a/0xd0
 {frames}
 kthread+0xda/0x100
 </TASK>{more}
Kernel panic - not syncing: hung_task: blocked tasks
CPU: 3 PID: 55 Comm: khungtaskd Not tainted 6.1.0 #1"""
IO = "io_schedule+0x42/0x70\n bit_wait_io+0xd/0x60\n store_commit+0x90/0x150 [stored]"
MUTEX = "__mutex_lock.constprop.0+0x372/0x6c0\n store_lock+0x12/0x30 [stored]"
RPC = "rpc_wait_bit_killable+0x20/0xb0 [sunrpc]\n nfs_getattr+0x1ac/0x2d0 [nfs]"
OWNED = "\nINFO: task storaged:412 is blocked on a mutex likely owned by task other:999."
NVME = """nvme nvme0: I/O 512 QID 3 timeout, aborting
nvme nvme0: Device not ready; aborting reset, CSTS=0x1"""
SERVER = "nfs: server 10.0.0.5 not responding, still trying"


def judged(tmp_path: Path, text: str) -> Verdict:
    """Judge a log."""
    lines = "".join(f"[  100.{n:06}] {line}\n" for n, line in enumerate(text.split("\n")))
    (tmp_path / "dmesg.txt").write_text(lines)
    return verdict(open_kernel([tmp_path / "dmesg.txt"]))


@pytest.mark.parametrize("before", ["", NVME])
def test_a_disk_that_timed_out_before_is_what_the_task_waits_for(before: str, tmp_path: Path) -> None:
    found = judged(tmp_path, f"{before}\n{BLOCKED.format(frames=IO, more='')}")
    if before:
        assert (found.cause, found.confidence, found.module) == ("io-stall", "likely", "stored")
        assert "nvme0" in found.summary
    else:
        assert found.cause == "hung-task"


def test_a_task_that_waits_for_a_lock_is_not_behind_the_disk(tmp_path: Path) -> None:
    assert judged(tmp_path, f"{NVME}\n{BLOCKED.format(frames=MUTEX, more='')}").cause == "hung-task"


def test_the_likely_owner_of_a_lock_is_named_and_the_stack_stays(tmp_path: Path) -> None:
    found = judged(tmp_path, BLOCKED.format(frames=MUTEX, more=OWNED))
    assert (found.cause, found.symbol) == ("hung-task", "store_lock+0x12")
    assert "for a mutex that other (PID 999) likely owns" in found.summary
    assert len({piece.text for piece in found.evidence}) == len(found.evidence)


def test_an_nfs_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    found = judged(tmp_path, f"{SERVER}\n{BLOCKED.format(frames=RPC, more='')}")
    assert found.cause == "hung-task"
    assert "10.0.0.5" in found.summary


def test_a_file_system_whose_disk_failed_before_says_so(tmp_path: Path) -> None:
    text = """sd 0:0:0:0: [sda] tag#12 Sense Key : Medium Error [current]
EXT4-fs error (device sda1): __ext4_find_entry:1658: inode #131073: comm storaged: reading directory lblock 0
Kernel panic - not syncing: EXT4-fs (device sda1): panic forced after error
CPU: 3 PID: 55 Comm: storaged Not tainted 6.1.0 #1"""
    found = judged(tmp_path, text)
    assert (found.cause, found.next_steps[0][:8]) == ("filesystem-error", "The disk")
    assert "sda failed" in found.summary
