"""md arrays: a superblock is its thread's to write, that one waits for the members; a barrier is the resync's."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.kernel.once import reader
from oopscope.linux.task import task_structs
from oopscope.waits import disks
from oopscope.waits.graph import Node
from oopscope.waits.kinds import arrays

MEMBERS = {
    "mddev.sb_wait.head": 0x88, "mddev.recovery_wait.head": 0xA8, "mddev.thread": 0x10, "mddev.sync_thread": 0x18,
    "md_thread.tsk": 8, "r1conf.wait_barrier.head": 0x48, "r1conf.mddev": 0,
}  # fmt: skip
ARRAY, DISK, CONF, MANAGES, RESYNCS = TOP + 0x1000, TOP + 0x2000, TOP + 0x3000, TOP + 0x4000, TOP + 0x5000
WORDS = {ARRAY + 0x10: TOP + 0x6000, TOP + 0x6008: MANAGES, ARRAY + 0x18: TOP + 0x7000, TOP + 0x7008: RESYNCS}


def claims(monkeypatch: pytest.MonkeyPatch, head: int, task: int, words: dict[int, int]) -> Any:
    kernel: Any = made(
        monkeypatch,
        arrays,
        MEMBERS,
        {**words, CONF: ARRAY},
        cached=lambda read: {MANAGES: 1, RESYNCS: 2} if read is task_structs else reader(read)(kernel),
    )
    one = sleeper(task, ("schedule", "md_write_start"), entries=(SimpleNamespace(node=head),))
    monkeypatch.setattr(arrays, "unlocked", lambda _kernel: [one])
    monkeypatch.setattr(arrays, "heads_of", lambda one: (entry.node for entry in one.entries))
    monkeypatch.setattr(arrays, "gendisks", lambda _kernel: {"md0": DISK})
    monkeypatch.setattr(arrays, "array_of", lambda _kernel, disk: ARRAY if disk == DISK else None)
    monkeypatch.setattr(arrays, "disk_node", lambda _kernel, _disk: Node("disk:1", "disk", "md0"))
    monkeypatch.setattr(arrays, "disk_name", lambda _kernel, _disk: "md0")
    monkeypatch.setattr(arrays, "claims_of_disk", lambda _kernel, _disk: [])
    return list(arrays.edges(kernel))


def test_a_superblock_is_the_arrays_threads_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, ARRAY + 0x88, 0x7000, WORDS)
    assert told(found) == [
        ("0x7000", "waits_for", "md0's superblock"),
        ("md0's superblock", "held_by", f"{MANAGES:#x}"),
    ]
    assert found[1].basis == "recorded"


def test_that_thread_itself_waits_for_the_members(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(claims(monkeypatch, ARRAY + 0x88, MANAGES, WORDS)) == [(f"{MANAGES:#x}", "waits_for", "md0")]


def test_a_barrier_is_likely_the_resyncs_and_without_one_it_is_the_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, CONF + 0x48, 0x7000, WORDS)
    assert told(found)[1] == ("md0's resync", "held_by", f"{RESYNCS:#x}") and found[1].basis == "likely"
    assert told(claims(monkeypatch, CONF + 0x48, 0x7000, {**WORDS, ARRAY + 0x18: 0})) == [
        ("0x7000", "waits_for", "md0")
    ]


def test_a_queue_of_no_array_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert claims(monkeypatch, ARRAY + 0x90, 0x7000, WORDS) == []


def test_a_member_that_was_taken_out_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"mddev.disks": 0x20, "md_rdev.same_set": 0, "md_rdev.bdev": 16, "block_device.bd_disk": 8}
    kernel = made(monkeypatch, disks, members, {0x110: 0, 0x210: 0x300, 0x308: 0x400})
    monkeypatch.setattr(disks, "array_of", lambda _kernel, _disk: ARRAY)
    monkeypatch.setattr(disks, "for_each_list", lambda *_: [0x100, 0x200])
    monkeypatch.setattr(disks, "disk_node", lambda _kernel, disk: Node(f"disk:{disk:#x}", "disk", f"{disk:#x}"))
    monkeypatch.setattr(disks, "claims_of_disk", lambda *_: [])
    assert told(disks._md(kernel, DISK, 0)) == [(f"{DISK:#x}", "behind", "0x400")]
