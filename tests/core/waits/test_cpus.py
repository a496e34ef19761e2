"""CPUs that somebody waits for: works in the lists of stoppers, on the waiter's stack or naming it; locked calls."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.kernel.once import reader
from oopscope.linux.sched import CpuQueue, runqueues
from oopscope.linux.task import task_structs
from oopscope.waits.kinds import cpus

MEMBERS = {
    "cpu_stop_done.completion": 8, "cpu_stop_work.list": 0, "cpu_stop_work.done": 0x28, "cpu_stopper.works": 0x10,
    "cpu_stop_work.fn": 0x10, "cpu_stop_work.arg": 0x18,
}  # fmt: skip
STOPPER, STACK, STATIC = TOP + 0x1000, range(TOP + 0x8000, TOP + 0x9000), TOP + 0x5000
DONE, ON_STACK = TOP + 0x8100, TOP + 0x8200
RUNS = [CpuQueue(0, 1, 0xA, 0x1, 0, 0), CpuQueue(1, 1, 0xB, 0x2, 0, 0), CpuQueue(2, 0, 0x3, 0x3, 0, 0)]


def claims(
    monkeypatch: pytest.MonkeyPatch, lists: dict[int, list[int]], words: dict[int, int], come: tuple[Any, ...] = (),
    tasks: dict[int, Any] | None = None, one: Any = None,
) -> Any:  # fmt: skip
    words = {work + at: 0 for works in lists.values() for work in works for at in (0x10, 0x18)} | words
    one = one or sleeper(
        0x7000, ("schedule", "wait_for_completion", "affine_move_task"), stack=STACK, completion=DONE + 8
    )
    kernel: Any = made(
        monkeypatch, cpus, MEMBERS, words, per_cpu=lambda base, cpu: base + cpu * 0x100,
        cached=lambda read: known[read] if read in known else reader(read)(kernel),
    )  # fmt: skip
    known: dict[Any, Any] = {runqueues: RUNS, task_structs: tasks or {}}
    kernel.name_of = lambda at: SimpleNamespace(symbol="multi_cpu_stop") if at == 0xF00 else None
    kernel.find_symbol = lambda name: STOPPER if name == "cpu_stopper" else None
    monkeypatch.setattr(cpus, "present_cpus", lambda _kernel: [0, 1, 2])
    monkeypatch.setattr(cpus, "all_cpus", lambda _kernel: list(come))
    monkeypatch.setattr(cpus, "task_stack", lambda _kernel, stack: range(stack, stack + 0x1000))
    monkeypatch.setattr(cpus, "unlocked", lambda _kernel: [one])
    monkeypatch.setattr(cpus, "completion_of", lambda sleeper: sleeper.completion)
    monkeypatch.setattr(
        cpus, "for_each_list", lambda _memory, head, *_: lists.get((head - STOPPER - 0x10) // 0x100, [])
    )
    return told(cpus.edges(kernel))


def test_a_work_on_the_waiters_stack_names_the_cpu_that_has_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    found = claims(monkeypatch, {1: [ON_STACK]}, {ON_STACK + 0x28: 0})
    assert found == [("0x7000", "waits_for", "of CPU 1"), ("of CPU 1", "behind", "1"), ("1", "held_by", "0xb")]


def test_works_of_their_own_name_what_they_are_to_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {STATIC + 0x28: DONE, STATIC + 0x128: DONE + 64, STATIC + 0x228: DONE}
    lists = {0: [STATIC], 1: [STATIC + 0x100], 2: [STATIC + 0x200]}
    found = claims(monkeypatch, lists, words)
    assert found[:2] == [("0x7000", "waits_for", "of CPU 0, 2"), ("of CPU 0, 2", "behind", "0")]
    assert found[2:] == [("0", "held_by", "0xa"), ("of CPU 0, 2", "behind", "2")]  # CPU 2 is idle: nothing has it


def test_where_no_stopper_has_work_of_it_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert claims(monkeypatch, {0: [STATIC]}, {STATIC + 0x28: DONE + 64}) == []


def test_stop_machine_waits_for_the_stopper_that_has_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = TOP + 0x20000
    words = {STATIC + 0x10: 0xF00, STATIC + 0x18: stack + 0x100, STATIC + 0x28: 0}
    come = (
        SimpleNamespace(
            cpu=0, task=0xA0, frames=[SimpleNamespace(symbol="multi_cpu_stop", kind="call", reliable=True)]
        ),
    )
    caller = SimpleNamespace(address=0xC0, stack=stack)
    idle = sleeper(0x7000, ("schedule",), completion=None)
    found = claims(monkeypatch, {1: [STATIC]}, words, come, {0xC0: caller}, idle)
    assert found[:2] == [("0xa0", "waits_for", "of CPU 1"), ("0xc0", "waits_for", "of CPU 1")]
    assert found[2:] == [("of CPU 1", "behind", "1"), ("1", "held_by", "0xb")]
    assert claims(monkeypatch, {1: [STATIC]}, words, (), {0xC0: caller}, idle) == []  # nobody has come yet
    other = {**words, STATIC + 0x110: 0xF00, STATIC + 0x118: stack + 0x200, STATIC + 0x128: 0}
    assert claims(monkeypatch, {1: [STATIC, STATIC + 0x100]}, other, come, {0xC0: caller}, idle) == []


def test_of_stoppers_that_have_all_come_the_others_wait_for_the_one_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def cpu(number: int, *above: str) -> Any:
        frames = [SimpleNamespace(symbol=name, kind="call", reliable=True) for name in (*above, "multi_cpu_stop")]
        return SimpleNamespace(cpu=number, task=0xA0 + number, frames=frames)

    idle = sleeper(0x7000, ("schedule",), completion=None)
    tasks = {0xC0: SimpleNamespace(on_cpu=0, exit_state=0, stack=0)}
    monkeypatch.setattr(cpus, "functions_of", lambda *_: ("schedule", "wait_for_completion", "stop_machine_cpuslocked"))
    come = (cpu(0, "stop_machine_yield"), cpu(1, "spins", "patches"), cpu(2, "asm_sysvec_apic_timer_interrupt"))
    found = claims(monkeypatch, {}, {}, come, tasks, idle)
    assert found == [(who, "waits_for", "of CPU 1") for who in ("0xa0", "0xa2", "0xc0")] + [
        ("of CPU 1", "held_by", "0xa1")
    ]
    two = (cpu(0, "patches"), cpu(1, "patches"))
    assert claims(monkeypatch, {}, {}, two, tasks, idle) == []  # which of them the others wait for is not known
