"""Who waits for writeback: sync in the bdi's queue, for its worker; writers by the bdi among their words."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.waits.graph import Claim, Node
from oopscope.waits.kinds import writeback
from oopscope.waits.workers import Worker

MEMBERS = {
    "backing_dev_info.wb_waitq.head": 0x108, "backing_dev_info.wb": 0x10, "bdi_writeback.bdi": 0,
    "bdi_writeback.dwork.work": 0x20, "super_block.s_bdi": 8,
}  # fmt: skip
BDI, OTHER, BLOCK, TASK = TOP + 0x1000, TOP + 0x2000, TOP + 0x3000, 0x7000
WORDS = {BDI + 0x10: BDI, OTHER + 0x10: OTHER, BLOCK + 8: BDI}


def kernel_of(monkeypatch: pytest.MonkeyPatch, words: dict[int, int], *busy: int) -> Any:
    work = [Worker(0, 0x10 + at, bdi + 0x30, 0xF00, 0, None, 0, 0, 0) for at, bdi in enumerate(busy)]
    monkeypatch.setattr(writeback, "workers", lambda _kernel: work)
    monkeypatch.setattr(writeback, "super_blocks", lambda _kernel: {BLOCK})
    monkeypatch.setattr(writeback, "file_system_name", lambda _kernel, _block: "/data")
    return made(monkeypatch, writeback, MEMBERS, words, {0xF00: "wb_workfn"})


def claims(monkeypatch: pytest.MonkeyPatch, kernel: Any, one: Any) -> list[tuple[str, str, str]]:
    monkeypatch.setattr(writeback, "unlocked", lambda _kernel: [one])
    return told(writeback.edges(kernel))


def test_sync_waits_for_the_worker_that_writes_this_bdi(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = kernel_of(monkeypatch, WORDS, OTHER, BDI)
    monkeypatch.setattr(writeback, "heads_of", lambda one: (entry.node for entry in one.entries))
    one = sleeper(TASK, ("schedule", "wb_wait_for_completion"), entries=(SimpleNamespace(node=BDI + 0x108),))
    assert claims(monkeypatch, kernel, one) == [("0x7000", "waits_for", "to /data"), ("to /data", "held_by", "0x11")]
    wrong = sleeper(TASK, ("schedule", "wb_wait_for_completion"), entries=(SimpleNamespace(node=BLOCK + 0x108),))
    assert claims(monkeypatch, kernel_of(monkeypatch, {**WORDS, BLOCK + 0x10: 0}), wrong) == []


def test_a_writer_that_is_paused_has_one_bdi_among_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = ("schedule_timeout", "io_schedule_timeout", "balance_dirty_pages")
    kernel = kernel_of(monkeypatch, WORDS, BDI)
    one = sleeper(TASK, functions, words=(5, BDI + 0x10, BLOCK))
    assert claims(monkeypatch, kernel, one) == [("0x7000", "waits_for", "to /data"), ("to /data", "held_by", "0x10")]
    assert claims(monkeypatch, kernel, sleeper(TASK, functions, words=(BDI + 0x10, OTHER + 0x10))) == []


def test_where_nobody_writes_what_the_file_system_lies_on_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = kernel_of(monkeypatch, WORDS)
    server = Node("server:1", "server", "host")
    system = Node("filesystem:1", "filesystem", "/data")
    monkeypatch.setattr(writeback, "file_system_node", lambda _kernel, _block: system)
    onward = Claim(system, server, "behind", "recorded")
    monkeypatch.setattr(writeback, "claims_of_file_system", lambda _kernel, _block: [onward])
    one = sleeper(TASK, ("schedule_timeout", "balance_dirty_pages"), words=(BDI + 0x10,))
    assert claims(monkeypatch, kernel, one)[1:] == [("to /data", "behind", "/data"), ("/data", "behind", "host")]
