"""What runs on each CPU and what waits for it: whom a stuck CPU starves, the kernel's own count."""

from typing import Any

from builders.altered import changed, stored
from cases import Case, case_of
from oopscope.boot.attach import attach
from oopscope.kernel.kernel import Kernel
from oopscope.linux.runqueue import ENTITY, counted, queued
from oopscope.report.build import build
from oopscope.subsystems import table


def test_a_stuck_cpu_and_who_waits_for_it() -> None:
    rows = [row for row in queued(case_of("5.10-softlockup").kernel) if row.cpu == 1]
    assert [(row.comm, row.class_, row.state) for row in rows] == [
        ("lab-spinner", "fair", "current"),
        ("migration/1", "stop", "waiting"),
        ("kworker/1:0", "fair", "waiting"),
    ]
    assert rows[0].waiting_seconds is None
    assert 13 < rows[1].waiting_seconds < rows[2].waiting_seconds < 14


def test_as_many_as_the_kernel_counts(case: Case) -> None:
    rows = queued(case.kernel)
    assert len(rows) == counted(case.kernel)
    assert sum(row.current for row in rows) == len({row.cpu for row in rows}) == 2
    for row in rows:
        assert (row.class_ == "idle") == (row.pid == 0)
        assert row.waiting_seconds is None or row.waiting_seconds >= 0


def test_queues_that_nothing_names_are_not_empty() -> None:
    """Without CONFIG_KALLSYMS_ALL, and types of per-CPU variables (5.13), no queue is known: null, and tasks say so."""
    kernel = attach(stored("5.10-sysrq.kdump"), lambda _text: None)
    kernel._addresses["runqueues"] = None
    report = build(kernel, ("runqueues", "tasks"))
    assert report["runqueues"] is None and report["tasks"]
    said = {(problem["section"], problem["message"]) for problem in report["problems"]}
    assert ("runqueues", "this kernel has no symbol runqueues") in said
    assert ("tasks", "nothing names the run queues: idle tasks are not among the tasks") in said


def test_what_is_not_on_the_queue_is_dropped_and_said() -> None:
    def gone(kernel: Kernel) -> Any:
        waits = next(row for row in queued(kernel) if row.comm == "kworker/1:0")
        return waits.task + kernel.bind(ENTITY).offset("on_rq"), bytes(4)

    kernel = changed("5.10-softlockup", gone)
    rows = queued(kernel)
    assert "kworker/1:0" not in [row.comm for row in rows]
    found = [problem.message for problem in kernel.problems if problem.section == "runqueues"]
    assert "no task that waits for it" in found[0]
    assert found[1] == "2 tasks were found on the queue of CPU 1 of 3 that the kernel counted"
    assert table("runqueues").counted(kernel, len(rows)) == (3, 4, False)


def test_a_list_that_is_not_in_the_dump_is_made_up_for_by_what_tasks_say() -> None:
    rows = queued(case_of("7.2-sysrq").kernel)
    assert [row.comm for row in rows if not row.current] == ["rcu_preempt"]
