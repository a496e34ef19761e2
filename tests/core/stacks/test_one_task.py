"""The row of one task, asked for alone, is the one that it has among all; no other task's stack is read for it."""

import pytest

from cases import case_of
from oopscope.stacks import tasks as module
from oopscope.stacks.tasks import all_tasks, one_task


@pytest.mark.parametrize("name", ("6.1-null", "7.2-sysrq"))
def test_by_pid_and_by_address(name: str) -> None:
    kernel = case_of(name).kernel
    rows = [row for row in all_tasks(kernel) if row.pid]
    assert [one_task(kernel, row.pid) for row in rows if row.pid] == rows
    assert [one_task(kernel, row.address) for row in rows] == rows


def test_none_for_the_idle_tasks_number_and_for_what_is_no_task() -> None:
    kernel = case_of("6.1-null").kernel
    assert one_task(kernel, 0) is None
    assert one_task(kernel, 4_000_000) is None


def test_only_its_own_stack_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, asked = case_of("6.1-null").kernel, []
    monkeypatch.setattr(module, "_wait", lambda _kernel, task: asked.append(task.pid))
    one_task(kernel, 1)
    assert asked == [1]
