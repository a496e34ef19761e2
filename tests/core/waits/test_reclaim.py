"""Reclaim and compaction that are throttled: each queue of a node tells its own reason, and who could end it."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.linux.task import task_structs
from oopscope.waits.kinds import reclaim
from oopscope.waits.workers import Worker

MEMBERS = {
    "pglist_data.kswapd": 0x40, "pglist_data.node_id": 0x48, "pglist_data.pfmemalloc_wait.head": 0x88,
    "pglist_data.reclaim_wait": 0x100, "wait_queue_head.head": 8,
}  # fmt: skip
NODE, KSWAPD, TASK, SIZE = TOP + 0x1000, TOP + 0x5000, TOP + 0x7000, 0x18
REASONS = {"VMSCAN_THROTTLE_WRITEBACK": 0, "VMSCAN_THROTTLE_ISOLATED": 1, "NR_VMSCAN_THROTTLE": 4}
RECLAIM = ("schedule", "schedule_timeout", "reclaim_throttle", "shrink_inactive_list")
COMPACT = ("schedule", "schedule_timeout", "reclaim_throttle", "isolate_migratepages_block", "compact_zone")


def claims(monkeypatch: pytest.MonkeyPatch, head: int, functions: tuple[str, ...], symbol: str = "") -> Any:
    types = SimpleNamespace(sizeof=lambda _struct: SIZE, enum=lambda _name: REASONS)
    comm = SimpleNamespace(comm=b"kswapd0")
    kernel = made(
        monkeypatch, reclaim, MEMBERS, {NODE + 0x40: KSWAPD, NODE + 0x48: 0}, {0xF00: "wb_workfn"}, types=types,
        cached={task_structs: {KSWAPD: comm}}.__getitem__,
    )  # fmt: skip
    entries = (SimpleNamespace(node=head),) if head else ()
    monkeypatch.setattr(reclaim, "unlocked", lambda _kernel: [sleeper(TASK, functions, entries=entries)])
    monkeypatch.setattr(reclaim, "heads_of", lambda one: (entry.node for entry in one.entries))
    monkeypatch.setattr(reclaim, "symbol_name", lambda _kernel, _at: symbol or None)
    monkeypatch.setattr(reclaim, "workers", lambda _kernel: [Worker(0, 0x10, 1, 0xF00, 0, None, 0, 0, 0)])
    return list(reclaim.edges(kernel))


def test_who_is_let_in_nowhere_waits_for_kswapd(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, NODE + 0x88, ("schedule", "throttle_direct_reclaim", "try_to_free_pages"))
    assert told(found) == [(f"{TASK:#x}", "waits_for", "of node 0"), ("of node 0", "held_by", f"{KSWAPD:#x}")]
    assert [claim.basis for claim in found] == ["linked", "likely"]


def test_isolated_pages_are_not_kswapds_to_give_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for functions, kind in ((RECLAIM, "reclaim"), (COMPACT, "compaction")):
        (found,) = claims(monkeypatch, NODE + 0x100 + SIZE + 8, functions)
        assert (found.target.kind, found.target.name) == (kind, "of node 0")
        assert found.target.note == "too many pages are isolated"


def test_pages_under_writeback_are_for_those_who_write(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, NODE + 0x108, RECLAIM)
    assert told(found)[1] == ("of node 0", "held_by", "0x10") and found[1].basis == "likely"


def test_a_queue_of_no_node_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert claims(monkeypatch, NODE + 0x100 + 4 * SIZE + 8, RECLAIM) == []


def test_older_kernels_pause_in_one_queue_or_by_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = claims(monkeypatch, TOP + 0x9000, ("schedule", "congestion_wait", "compact_zone"), "congestion_wqh+0x18")
    assert (found.target.kind, found.target.name, found.basis) == ("compaction", "of all nodes", "linked")
    (found,) = claims(monkeypatch, 0, ("schedule_timeout", "msleep", "shrink_inactive_list"))
    assert (found.target.kind, found.basis) == ("reclaim", "inferred")
    assert claims(monkeypatch, 0, ("schedule_timeout", "msleep", "of_a_driver")) == []
