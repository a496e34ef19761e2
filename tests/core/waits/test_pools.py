"""Why no worker has begun a work: its workqueue's turn, a worker that runs, a CPU that is taken, nobody free."""

from types import SimpleNamespace
from typing import Any

import pytest

from oopscope.kernel.problems import Problems
from oopscope.linux.sched import CpuQueue, runqueues
from oopscope.linux.task import task_structs
from oopscope.linux.workqueue import POOL, WORK, PoolStruct, Pwq
from oopscope.waits import pools
from oopscope.waits.pools import Why, why_not_begun
from oopscope.waits.workers import Worker

WORK_AT, INACTIVE, WORKLIST = 0x1000, 0x2000, 0x3000
RUNS, SLEEPS = 0xA, 0xB  # tasks


def worker(task: int, work: int = 0x9000, pwq: int = 0x50, flags: int = 0) -> Worker:
    return Worker(task * 16, task, work, 0, 0, None, pwq, 0x60, flags)


def pool(cpu: int = 1, running: int = 1, idle: int = 1) -> PoolStruct:
    return PoolStruct(0x60, cpu, 0, 4, 0, 0, WORKLIST, 2, idle, running, 0, 0)


def why(
    monkeypatch: pytest.MonkeyPatch, where: int, of: PoolStruct, busy: list[Worker], current: int = 0
) -> Why | None:
    monkeypatch.setattr(pools, "_pwq", lambda _kernel, _work: Pwq(0x50, 0x60, 0x70, 1, 1, INACTIVE, 0))
    monkeypatch.setattr(pools, "for_each_list", lambda _memory, head, *_: [WORK_AT] if head == where else [])
    monkeypatch.setattr(pools, "workers", lambda _kernel: busy)
    bound = {POOL: SimpleNamespace(row=lambda _at: of), WORK: SimpleNamespace(offset=lambda _name: 8)}
    given: dict[Any, Any] = {
        task_structs: {RUNS: SimpleNamespace(state=0), SLEEPS: SimpleNamespace(state=2)},
        runqueues: [CpuQueue(1, 1, current, 0xFF, 0, 0)],
    }
    kernel: Any = SimpleNamespace(bind=bound.__getitem__, memory=None, problems=Problems(), cached=given.__getitem__)
    return why_not_begun(kernel, WORK_AT)


def test_a_work_that_waits_for_its_turn_is_behind_those_of_its_workqueue(monkeypatch: pytest.MonkeyPatch) -> None:
    found = why(monkeypatch, INACTIVE, pool(), [worker(SLEEPS), worker(RUNS, pwq=0x51)])
    assert found is not None
    assert (found.tasks, found.note, found.any) == ((SLEEPS,), "", False)


def test_a_worker_that_runs_keeps_the_pool_of_its_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    found = why(monkeypatch, WORKLIST, pool(), [worker(RUNS), worker(SLEEPS)])
    assert found is not None
    assert found.tasks == (RUNS,)
    intensive = why(monkeypatch, WORKLIST, pool(), [worker(RUNS, flags=1 << 6)], current=0xC)
    assert intensive is not None
    assert intensive.tasks == (0xC,)  # an idle worker is to begin it, but something else has the CPU
    idle = why(monkeypatch, WORKLIST, pool(running=0), [worker(SLEEPS)], current=0xFF)
    assert idle == Why((), "", "an idle worker is to begin it")


def test_where_no_worker_is_free_any_that_is_done_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    found = why(monkeypatch, WORKLIST, pool(-1, 0, 0), [worker(SLEEPS), worker(RUNS)])
    assert found is not None
    assert (found.tasks, found.any) == ((SLEEPS, RUNS), True)


def test_of_a_work_that_is_in_no_list_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why(monkeypatch, 0, pool(), []) is None
