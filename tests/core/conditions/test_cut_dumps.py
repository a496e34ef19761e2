"""A stored dump, cut at every twentieth of its length: it says that it is cut, and gives what it holds as that.

A few dumps in a run of the tests, all by `python tests/core/conditions/test_cut_dumps.py`.
"""

import sys
from functools import cache
from typing import Any

import pytest

from builders.altered import DUMPS
from cases import NAMES, case_of
from oopscope.boot.attach import attach
from oopscope.cli.report import status
from oopscope.dumps import open_container
from oopscope.errors import OopscopeError
from oopscope.report import html, markdown, text
from oopscope.report.build import build
from oopscope.sources.file import BytesSource
from oopscope.subsystems import TABLES
from stored import STORE, put_together

CHOSEN = ("6.1-deadlock", "7.2-sysrq")
CONFIDENCE = ("possible", "likely", "certain")
TWENTIETHS = range(1, 20)


@cache
def whole(name: str) -> bytes:
    return (DUMPS / f"{name}.kdump").read_bytes()


def cut(name: str, twentieths: int) -> Any:
    data = whole(name)
    dump = open_container([BytesSource(data[: len(data) * twentieths // 20], name)])
    assert not dump.facts().complete, (name, twentieths)
    try:
        kernel = attach(dump, lambda _text: None)
    except OopscopeError:
        return None  # nothing of the kernel is left, and it says so
    return build(kernel)


def check(name: str, twentieths: int) -> None:
    report, full = cut(name, twentieths), case_of(name).report
    if report is None:
        return
    assert report["dump"]["complete"] is False
    counts = report["tables"]
    for key, _module in TABLES:
        if report.get(key) == []:
            assert counts[key]["complete"] is True and full[key] == [], (key, twentieths)
        if key in report and report[key] is None:
            assert counts[key]["rows"] is None and counts[key]["complete"] is not True, (key, twentieths)
        if report.get(key) and full.get(key) and len(report[key]) < len(full[key]):
            assert counts[key]["complete"] is not True, (key, twentieths)
    assert report["findings"] != []
    shown = text.render(report)
    assert "\n  none\n" not in shown or all(full[key] == [] for key in counts if report.get(key) == [])
    html.render(report)
    markdown.render(report)
    verdict, sure = report["verdict"], full["verdict"]
    if verdict["cause"] == sure["cause"]:
        assert CONFIDENCE.index(verdict["confidence"]) <= CONFIDENCE.index(sure["confidence"])
    else:
        assert verdict["confidence"] != "certain" and (verdict["lacks"] or verdict["cause"] == "unknown")
    assert status(report) == 4 or not verdict["lacks"]


@pytest.mark.thorough
@pytest.mark.parametrize("name, twentieths", [(CHOSEN[part % 2], part) for part in TWENTIETHS])
def test_a_cut_dump_says_what_it_lacks(name: str, twentieths: int) -> None:
    check(name, twentieths)


def test_more_is_read_where_page_tables_are_lost() -> None:
    """The map of all memory needs none: tasks that it leads to are there, of the kernel's count."""
    report = cut("6.1-deadlock", 19)
    full = case_of("6.1-deadlock").report
    assert len(report["tasks"]) > len(full["tasks"]) // 2
    assert report["tables"]["tasks"]["complete"] is False
    assert any("map of all memory" in problem["message"] for problem in report["problems"])


def test_where_all_memory_is_mapped_is_told_by_a_ring_too() -> None:
    """Of this one the variable that says it is gone with the page tables; a list that begins in the image tells it."""
    report = cut("7.2-sysrq", 19)
    assert len(report["tasks"]) > len(case_of("7.2-sysrq").report["tasks"]) * 9 // 10
    kernel = case_of("7.2-sysrq").kernel  # the whole dump has the tables, and not the variable
    with pytest.raises(OopscopeError):
        kernel.memory.word(kernel.symbol("page_offset_base"))
    neighbour, base = kernel.memory.word(kernel.symbol("slab_caches")), kernel.machine.direct_base(kernel)
    assert base is not None and neighbour - base == kernel.memory.translate(neighbour)


def test_nobody_is_said_to_be_none_where_tasks_are_lost() -> None:
    """A process whose children may be among the tasks that are gone is not said to have none."""
    report = cut("6.1-doublefree", 19)
    assert report["tables"]["tasks"]["complete"] is False
    notes = {node["note"] for node in report["waits"]["nodes"] if node["kind"] == "child"}
    assert notes == {"not every task could be read"}


def test_a_count_that_was_lost_is_no_proof_that_all_is_there() -> None:
    """Of this one the run queues are gone, and with them two tasks and how many there were."""
    data = put_together(STORE / "deaths" / "6.1-idle.patch", STORE / "deaths")
    dump = open_container([BytesSource(data[: len(data) * 19 // 20], "6.1-idle")])
    assert dump is not None
    counted = build(attach(dump, lambda _text: None), ["tasks"])["tables"]["tasks"]
    assert counted["rows"] == 60 and counted["of"] is None
    assert counted["complete"] is not True


def test_an_idle_task_of_a_cpu_whose_run_queue_is_gone_is_counted() -> None:
    """Of this one only the run queues' tasks are missing; and what stopped the CPU is no place of a death."""
    data = (STORE / "machines" / "6.12-s390x.kdump").read_bytes()
    dump = open_container([BytesSource(data[: len(data) * 19 // 20], "6.12-s390x")])
    assert dump is not None
    report = build(attach(dump, lambda _text: None), ["verdict", "tasks"])
    assert report["tables"]["tasks"] == {"rows": 69, "of": 71, "complete": False}
    assert (report["verdict"]["cause"], report["verdict"]["symbol"]) == ("sysrq-crash", None)


if __name__ == "__main__":
    for one in sys.argv[1:] or NAMES:
        for part in TWENTIETHS:
            check(one, part)
        print(one, "holds")
