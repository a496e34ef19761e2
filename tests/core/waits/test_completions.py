"""Completions: a thread that is to park completes its own struct kthread's; who is ready says who has its CPU."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.kernel.once import reader
from oopscope.linux.sched import CpuQueue, runqueues
from oopscope.linux.task import PF_KTHREAD, task_structs
from oopscope.waits import build
from oopscope.waits.kinds import completions

MEMBERS = {"task_struct.worker_private": 0x40, "kthread.parked": 0x28}
DEAF, OTHER, TASK, KTHREAD = TOP + 0x1000, TOP + 0x2000, 0x7000, TOP + 0x3000


def claims(monkeypatch: pytest.MonkeyPatch, completion: int, function: str) -> Any:
    tasks = {
        DEAF: SimpleNamespace(vfork_done=None, flags=PF_KTHREAD, comm=b"deaf"),
        OTHER: SimpleNamespace(vfork_done=None, flags=0, comm=b"sh"),
    }
    known: dict[Any, Any] = {task_structs: tasks}
    words = {DEAF + 0x40: KTHREAD, OTHER + 0x40: KTHREAD}
    kernel = made(monkeypatch, completions, MEMBERS, words, cached=lambda read: known[read])
    for read in ("_parkings", "_endings"):
        monkeypatch.setattr(completions, read, reader(getattr(completions, read)))
    monkeypatch.setattr(completions, "barrier", lambda *_: [])
    one = sleeper(TASK, ("schedule", "wait_for_completion", function))
    return told(completions._of(kernel, one, completion))


def test_who_parks_a_thread_waits_for_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, KTHREAD + 0x28, "kthread_park")
    assert found == [("0x7000", "waits_for", f"of {DEAF:#x}"), (f"of {DEAF:#x}", "held_by", f"{DEAF:#x}")]
    assert claims(monkeypatch, KTHREAD + 0x30, "kthread_park") == []
    assert claims(monkeypatch, KTHREAD + 0x28, "something_else") == []


def test_who_is_ready_says_what_its_cpu_runs() -> None:
    tasks = {DEAF: SimpleNamespace(pid=7, comm=b"spins", address=DEAF)}
    queues = [CpuQueue(0, 1, DEAF, 0x1, 0, 0), CpuQueue(1, 0, 0x2, 0x2, 0, 0)]
    kernel: Any = SimpleNamespace(cached={runqueues: queues, task_structs: tasks}.__getitem__)
    assert build._has(kernel, 0, OTHER) == ", which runs 7 spins"
    assert build._has(kernel, 0, DEAF) == build._has(kernel, 1, OTHER) == build._has(kernel, 9, OTHER) == ""
