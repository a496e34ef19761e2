"""A page that is damaged in the file costs the row or the cell that it held, and a problem says so; the rest equals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cases import Case, case_of
from core.report.broken import break_pages, frames_of
from oopscope.boot.attach import open_kernel
from oopscope.distill.recording import distill
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module import module_list
from oopscope.linux.slab import CACHE
from oopscope.report.build import build
from oopscope.structs.plan import Plan

SECTIONS = ("system", "verdict", "cpus", "tasks", "meminfo", "zones", "slabs", "modules", "mounts", "log")
CASES = ["5.10-sysrq", "6.1-deadlock", "7.2-list"]


@pytest.fixture(scope="module", params=CASES)
def whole(request: pytest.FixtureRequest) -> Case:
    return case_of(request.param)


@pytest.fixture
def broken_report(whole: Case, tmp_path: Path) -> Callable[..., Any]:
    """A function that gives the report of a copy in which some page frames are damaged."""

    def report(frames: set[int]) -> Any:
        out = break_pages(whole.path, tmp_path / "broken.kdump", frames)
        return build(open_kernel([out]), SECTIONS, stacks=True)

    return report


def same_but(report: Any, whole: Case, *changed: str) -> None:
    """Every section but those is what it was; no section was lost as a whole, no fault is ours."""
    assert [s for s in SECTIONS if s not in changed and report[s] != whole.report[s]] == []
    assert [s for s in SECTIONS if report[s] is None] == []
    assert [p for p in report["problems"] if "fault of oopscope's own" in p["message"]] == []
    assert report["problems"]


@pytest.mark.thorough
def test_the_helper_breaks_what_it_says(whole: Case, tmp_path: Path) -> None:
    """An untouched copy has the problems of its original, so that others below come from the damage."""
    out = break_pages(whole.path, tmp_path / "copy.kdump", [])
    report = build(open_kernel([out]), SECTIONS, stacks=True)
    assert [p for p in report["problems"] if p not in whole.report["problems"]] == []
    assert [s for s in SECTIONS if report[s] != whole.report[s]] == []


def test_a_task(whole: Case, broken_report: Callable[..., Any]) -> None:
    victim = next(t for t in whole.report["tasks"] if t["comm"] == "tail")
    address = int(victim["address"], 16)
    size = whole.kernel.types.sizeof("task_struct")
    frames = frames_of(whole.kernel, address, size)
    report = broken_report(frames)
    same_but(report, whole, "tasks", "system")
    rows = {t["address"]: t for t in report["tasks"]}
    lost = rows.pop(victim["address"])
    assert lost["comm"] is lost["state"] is lost["wait"] is None
    assert lost["pid"] == victim["pid"]  # the PID table still knows it
    unread = 0
    for task in whole.report["tasks"]:
        if frames & frames_of(whole.kernel, int(task["address"], 16), size):
            unread += 1
        else:
            assert rows[task["address"]] == task
    assert 1 <= unread <= 6  # the pages of one slab hold a few tasks
    assert len(report["tasks"]) == len(whole.report["tasks"])
    assert any(p["section"] == "tasks" and "damaged" in p["message"] for p in report["problems"])


def test_a_stack(whole: Case, broken_report: Callable[..., Any]) -> None:
    """The task stays; its stack ends where the damage is, and says so."""
    victim = next(t for t in whole.report["tasks"] if t["comm"] == "tail")
    stack = whole.kernel.bind(_task_plan()).row(int(victim["address"], 16)).stack
    report = broken_report(frames_of(whole.kernel, stack + 0x3000, 0x1000))
    same_but(report, whole, "tasks")
    for before, after in zip(whole.report["tasks"], report["tasks"], strict=True):
        if before == victim:
            assert after["frames"] != before["frames"]
            assert {k: v for k, v in after.items() if k not in ("frames", "wait")} == {
                k: v for k, v in before.items() if k not in ("frames", "wait")
            }
        else:
            assert after == before
    assert any(p["section"] == "stacks" and "damaged" in p["message"] for p in report["problems"])


def _task_plan() -> Plan:
    from oopscope.linux.task import TASK

    return TASK


def without_places(verdict: Any) -> Any:
    """A verdict without the places of its evidence in the log, which move up where records are lost."""
    evidence = [(e["text"], e["source"]["kind"]) for e in verdict["evidence"]]
    return {**verdict, "evidence": evidence}


def test_a_part_of_the_log(whole: Case, broken_report: Callable[..., Any]) -> None:
    """Records whose text was in the page are counted; all others keep their text, time and order."""
    memory, info = whole.kernel.memory, whole.kernel.info
    ring = memory.word(whole.kernel.symbol("prb"))
    data = memory.word(ring + info.offset("printk_ringbuffer.text_data_ring") + info.offset("prb_data_ring.data"))
    report = broken_report(frames_of(whole.kernel, data + 0x3000))
    same_but(report, whole, "log", "verdict")
    assert without_places(report["verdict"]) == without_places(whole.report["verdict"])
    before = [(r["ns"], r["text"]) for r in whole.report["log"]]
    after = [(r["ns"], r["text"]) for r in report["log"]]
    assert len(before) - 120 < len(after) < len(before)
    kept = iter(before)
    assert all(record in kept for record in after)  # in the same order
    assert after[-1] == before[-1]
    assert any(p["section"] == "log" for p in report["problems"])


def test_a_slab_cache(whole: Case, broken_report: Callable[..., Any]) -> None:
    bound = whole.kernel.bind(CACHE)
    from oopscope.kernel.walk import for_each_list

    caches = list(for_each_list(whole.kernel.memory, whole.kernel.symbol("slab_caches"), bound.offset("link")))
    victim = caches[len(caches) // 2]
    report = broken_report(frames_of(whole.kernel, victim))
    same_but(report, whole, "slabs")
    rows = {s["name"]: s for s in report["slabs"]}
    known = {s["name"]: s for s in whole.report["slabs"]}
    assert set(rows) < set(known)
    assert len(known) - len(rows) <= 16  # a page of caches
    assert all(rows[name] == known[name] for name in rows)
    assert any(p["section"] == "slabs" and "damaged" in p["message"] for p in report["problems"])


def test_a_module(whole: Case, broken_report: Callable[..., Any]) -> None:
    """struct module is in the module's own memory: its row goes, the others stay, and so do the stacks."""
    loaded = module_list(whole.kernel)
    victim = next(m for m in loaded if m.name == "virtio_blk")
    report = broken_report(frames_of(whole.kernel, victim.row.address))
    same_but(report, whole, "modules")
    names = [m["name"] for m in report["modules"]]
    assert "virtio_blk" not in names
    assert set(names) == {m["name"] for m in whole.report["modules"]} - {"virtio_blk"}
    assert any(p["section"] == "modules" and "damaged" in p["message"] for p in report["problems"])


def place_of(kernel: Kernel, table: str) -> int:
    """An address amidst a table of the kernel."""
    if table == "BTF":
        return (kernel.symbol("__start_BTF") + kernel.symbol("__stop_BTF")) // 2
    if table == "ORC":
        return (kernel.symbol("__start_orc_unwind") + kernel.symbol("__start_orc_unwind_ip")) // 2
    return kernel.symbols.tables.names + 0x8000


@pytest.mark.thorough
@pytest.mark.parametrize("table", ["BTF", "kallsyms", "ORC"])
def test_a_table_of_the_kernel(whole: Case, broken_report: Callable[..., Any], table: str) -> None:
    """Without a page of types, symbols or unwinding tables much may go, never all, and never with a traceback."""
    kernel = whole.kernel
    address = place_of(kernel, table)
    out = broken_report(frames_of(kernel, address))
    assert out["log"] == whole.report["log"]  # it needs none of them
    assert out["verdict"] is not None
    assert [p for p in out["problems"] if "fault of oopscope's own" in p["message"]] == []


@pytest.mark.thorough
def test_distilling_a_damaged_dump(whole: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read cannot be kept; the report stays what it was."""
    from oopscope.distill import kdump_file
    from oopscope.dumps import open_path

    monkeypatch.setattr(kdump_file, "LEVEL", 1)
    victim = next(t for t in whole.report["tasks"] if t["comm"] == "tail")
    broken = break_pages(whole.path, tmp_path / "broken.kdump", frames_of(whole.kernel, int(victim["address"], 16)))
    distill(open_path(broken), tmp_path / "small.kdump", lambda _text: None)
    first, again = (
        build(open_kernel([tmp_path / name]), SECTIONS, stacks=True) for name in ("broken.kdump", "small.kdump")
    )
    assert {s: again[s] for s in SECTIONS} == {s: first[s] for s in SECTIONS}


@pytest.mark.thorough
@pytest.mark.parametrize("table", ["BTF", "kallsyms"])
def test_distilling_a_dump_whose_tables_are_damaged(
    whole: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """What is left of a dump is distilled all the same: the log at least."""
    from oopscope.distill import kdump_file
    from oopscope.dumps import open_path

    monkeypatch.setattr(kdump_file, "LEVEL", 1)
    broken = break_pages(whole.path, tmp_path / "broken.kdump", frames_of(whole.kernel, place_of(whole.kernel, table)))
    distill(open_path(broken), tmp_path / "small.kdump", lambda _text: None)
    assert build(open_kernel([tmp_path / "small.kdump"]), ["log"])["log"] == whole.report["log"]
