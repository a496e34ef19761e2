"""Kernels whose modules have no types: what a name or a function alone tells is likely or inferred, the rest said."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.errors import NoTypes
from oopscope.kernel.once import reader
from oopscope.linux.open_by import Opened, OpenFiles
from oopscope.linux.task import PF_KTHREAD, task_structs
from oopscope.waits import build, disks
from oopscope.waits.build import wait_graph
from oopscope.waits.kinds import queues

DISK, OPS, TASK = TOP + 0x1000, TOP + 0x2000, 0x7000


def loops(monkeypatch: pytest.MonkeyPatch, *tasks: Any, operations: str = "lo_fops") -> Any:
    known = {0x10 * (at + 1): SimpleNamespace(address=0x10 * (at + 1), **vars(task)) for at, task in enumerate(tasks)}
    members = {"gendisk.fops": 0, "gendisk.private_data": 8, "gendisk.disk_name": 16}
    kernel = made(
        monkeypatch, disks, members, {DISK: OPS, DISK + 8: TOP}, texts={DISK + 16: b"loop1"},
        cached=lambda read: known if read is task_structs else [],
    )  # fmt: skip
    kernel.name_of = lambda _at: SimpleNamespace(symbol=operations, module=None)
    monkeypatch.setattr(disks, "size", lambda *_: None)
    monkeypatch.setattr(disks, "in_flight", lambda _kernel: [])
    return kernel


def test_a_loop_devices_thread_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    thread = SimpleNamespace(comm=b"loop1", flags=PF_KTHREAD)
    kernel = loops(monkeypatch, thread, SimpleNamespace(comm=b"loop1", flags=0))
    (found,) = disks._loop(kernel, DISK)
    assert (found.source.name, found.target.name, found.basis) == ("loop1", "0x10", "likely")
    assert found.source.note == "what is below it is not known: no types of loop"
    assert list(disks._loop(loops(monkeypatch, thread, thread), DISK)) == []  # which of two is not known


def test_of_any_other_disk_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = loops(monkeypatch, SimpleNamespace(comm=b"loop1", flags=PF_KTHREAD), operations="virtblk_fops")
    assert list(disks._loop(kernel, DISK)) == [] and disks.disk_node(kernel, DISK).note == ""


def test_a_fuse_server_is_likely_one_that_has_the_device_open(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = made(monkeypatch, queues, {}, {}, {0xF00: "fuse_dev_operations", 0xE00: "ext4_file_operations"})
    kernel.cached = lambda read: reader(read)(kernel)
    by = {1: [Opened(0x55, 3, 0, 3, 0xF00)], 2: [Opened(0x66, 3, 0, 3, 0xE00)]}
    monkeypatch.setattr(queues, "opened_by", lambda _kernel: OpenFiles(by, True, {}))
    one = sleeper(TASK, ("schedule", "request_wait_answer", "fuse_simple_request"))
    found = list(queues._fuse(kernel, one, TOP))
    assert told(found) == [("0x7000", "waits_for", "a server"), ("a server", "held_by", "0x55")]
    assert [claim.basis for claim in found] == ["inferred", "likely"]
    assert list(queues._fuse(kernel, sleeper(TASK, ("schedule", "fuse_dev_read")), TOP)) == []


def test_a_kernel_without_any_types_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def edges(_kernel: Any) -> Any:
        raise NoTypes

    monkeypatch.setattr(build, "edges_of", lambda _module: edges)
    bare: Any = SimpleNamespace(problems=SimpleNamespace(lost=None), cached=lambda read: reader(read)(bare))
    with pytest.raises(NoTypes):  # no kind says anything of itself
        wait_graph(bare)
