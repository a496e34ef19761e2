"""Resident memory: what the mm counts, and what its tasks have not handed over yet (up to 6.1)."""

import pytest

from cases import DUMPS, case_of
from oopscope.boot.attach import open_kernel
from oopscope.linux import mm
from oopscope.linux.task import task_structs

KIB = 1 << 10
# As crash and drgn have it of the same dumps: the mm's own counters alone give next to nothing.
RESIDENT = {"6.1-null": {("sleep", 1440 * KIB), ("ping", 1532 * KIB)}, "5.10-sysrq": {("tail", 1408 * KIB)}}


@pytest.mark.parametrize("name", RESIDENT)
def test_the_tasks_own_counters_are_counted_in(name: str) -> None:
    found = {(task["comm"], task["rss_bytes"]) for task in case_of(name).report["tasks"]}
    assert found >= RESIDENT[name]


def test_the_threads_of_a_process_share_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread's row needs the process' memory: with 600 threads, of 600 counters, it was added up 600 times."""
    kernel = open_kernel([DUMPS / "6.1-null.kdump"])
    counted = []
    monkeypatch.setattr(mm, "_count", lambda _kernel, address: counted.append(address) or mm.Pages(1, 0, 0, 0))  # type: ignore[func-returns-value]
    for _ in range(2):
        for task in task_structs(kernel).values():
            if task.mm:
                mm.pages_of(kernel, task.mm)
    assert len(counted) == len(set(counted)) > 1
