"""Direct I/O that no request in flight serves: by a bio that a device holds back, else by its file."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.linux.open_by import OpenFiles
from oopscope.linux.task import task_structs
from oopscope.waits.carried import Carried
from oopscope.waits.graph import Node
from oopscope.waits.kinds import pages

FILE, OTHER, MAPPING, INODE, BLOCK, DISK, TASK = (TOP + 0x1000 * number for number in range(1, 8))
MEMBERS = {"file.f_mapping": 8, "inode.i_sb": 16, "address_space.host": 0}
WORDS = {FILE + 8: MAPPING, OTHER + 8: MAPPING + 8, MAPPING: INODE, MAPPING + 8: INODE, INODE + 16: BLOCK}
DIRECT = ("schedule", "submit_bio_wait", "__blkdev_direct_IO_simple", "blkdev_read_iter")


def claims(
    monkeypatch: pytest.MonkeyPatch, words: tuple[int, ...], held: Carried, functions: tuple[str, ...], *entries: Any
) -> Any:
    tasks = {TASK: SimpleNamespace(tgid=7), 0xB: SimpleNamespace(tgid=8)}
    kernel = made(monkeypatch, pages, MEMBERS, WORDS, cached={task_structs: tasks}.__getitem__)
    one = sleeper(TASK, functions, words=words, entries=entries, task=SimpleNamespace(tgid=7))
    monkeypatch.setattr(pages, "unlocked", lambda _kernel: [one])
    monkeypatch.setattr(pages, "carried", lambda _kernel: held)
    monkeypatch.setattr(pages, "completion_of", lambda _one: None)
    monkeypatch.setattr(pages, "opened_by", lambda _kernel: OpenFiles({}, True, {FILE: [TASK], OTHER: [0xB]}))
    monkeypatch.setattr(pages, "super_blocks", lambda _kernel: {BLOCK})
    monkeypatch.setattr(pages, "_is_bdev", lambda *_: True)
    monkeypatch.setattr(pages, "_block_device", lambda _kernel, inode: DISK if inode == INODE else None)
    monkeypatch.setattr(pages, "disk_node", lambda _kernel, disk: Node(f"disk:{disk:#x}", "disk", f"{disk:#x}"))
    monkeypatch.setattr(pages, "claims_of_disk", lambda *_: [])
    return list(pages.edges(kernel))


def test_the_disk_of_the_file_is_inferred(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, (5, FILE, OTHER), Carried({}, {}), DIRECT)  # the other is another process's
    assert told(found) == [(f"{TASK:#x}", "waits_for", f"{DISK:#x}")] and found[0].basis == "inferred"
    assert claims(monkeypatch, (5, OTHER), Carried({}, {}), DIRECT) == []
    assert claims(monkeypatch, (FILE,), Carried({}, {}), ("schedule", "submit_bio_wait", "of_a_file_system")) == []
    queued = SimpleNamespace(node=1, function="autoremove_wake_function")  # below that it waits for something else
    assert claims(monkeypatch, (FILE,), Carried({}, {}), DIRECT, queued) == []


def test_a_bio_that_a_device_holds_back_is_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, (FILE,), Carried({}, {TASK: DISK + 8}), DIRECT)
    assert told(found) == [(f"{TASK:#x}", "waits_for", f"{DISK + 8:#x}")] and found[0].basis == "linked"
