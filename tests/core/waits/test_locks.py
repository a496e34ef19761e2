"""Who waits for which sleeping lock: on a real dump, and on hand-made stacks with both shapes of lock."""

from types import SimpleNamespace

import pytest

import oopscope.waits.locks as locks
from cases import case_of
from core.triage.fakes import Words, stack
from oopscope.errors import NoMember
from oopscope.kernel.problems import Problems
from oopscope.linux.task import TaskStruct, task_structs

OFFSETS = {
    "mutex": {"owner.counter": 0, "wait_list": 16},
    "mutex_waiter": {"list": 0, "task": 16},
}
NO_LIST = {**OFFSETS, "mutex": {"owner.counter": 0, "first_waiter": 16}}  # since 7.1
BASE, SIZE = 0xFFFFC90000000000, 0x4000
A, B = 0xFFFF888000001000, 0xFFFF888000002000  # tasks
LOCK, OTHER = 0xFFFFFFFFC0000000, 0xFFFFFFFFC0000100


class Types:
    def __init__(self, offsets):
        self.offsets = offsets

    def has_member(self, struct, path):
        return path in self.offsets.get(struct, {})

    def member(self, struct, path):
        if not self.has_member(struct, path):
            raise NoMember(struct, path)
        return SimpleNamespace(offset=self.offsets[struct][path])


def task(number, address, state=2):
    base = BASE + number * SIZE
    return TaskStruct(
        address, number, number, b"t%d" % number, state, 0, 0, base, 0, 0, 0, 0, 0, base + 0x3F00, 0, None
    )


def waiter_of(one):
    """Where the waiter stands on a task's stack."""
    return one.stack + 0x3F40


def memory_of(tasks, waits, with_list=True):
    """Return the words of stacks and locks; `waits` is lock -> (owner word, the tasks that wait)."""
    words = {at: 0 for one in tasks for at in range(one.sp, one.stack + SIZE, 8)}
    for lock, (owner, waiting) in waits.items():
        ring = [*([lock + 16] if with_list else []), *(waiter_of(one) for one in waiting)]
        for at, node in enumerate(ring):
            words[node], words[node + 8] = ring[(at + 1) % len(ring)], ring[at - 1]
        words[lock] = owner
        for one in waiting:
            words[waiter_of(one) + 16] = one.address
            words[one.sp + 8] = lock  # a saved register
        if not with_list:
            words[lock + 16] = waiter_of(waiting[0])
    return words


def kernel_of(tasks, words, offsets, monkeypatch):
    monkeypatch.setattr(locks, "stack", lambda kernel, address: stack("__schedule+0x1", "__mutex_lock+0x2"))
    monkeypatch.setattr(locks, "task_stack", lambda kernel, base: locks.Stack(base, base + SIZE, "task"))
    found = {task_structs: {one.address: one for one in tasks}}
    return SimpleNamespace(
        types=Types(offsets), memory=Words(words), problems=Problems(), cached=found.__getitem__,
        name_of=lambda address: None,
    )  # fmt: skip


@pytest.mark.parametrize("offsets", [OFFSETS, NO_LIST], ids=["list", "first waiter"])
def test_two_that_wait_for_each_other(offsets, monkeypatch):
    one, two = task(1, A), task(2, B)
    words = memory_of([one, two], {LOCK: (B | 1, [one]), OTHER: (A, [two])}, offsets is OFFSETS)
    found = locks.locks(kernel_of([one, two], words, offsets, monkeypatch))
    assert [(wait.pid, wait.lock, wait.owner_pid) for wait in found] == [(1, LOCK, 2), (2, OTHER, 1)]
    ring, closed = locks.chain({wait.task: wait for wait in found}, A)
    assert closed
    assert [wait.pid for wait in ring] == [1, 2]


@pytest.mark.parametrize("offsets", [OFFSETS, NO_LIST], ids=["list", "first waiter"])
def test_one_lock_has_many_waiters_and_its_owner_none(offsets, monkeypatch):
    tasks = [task(number, A + number * 0x1000) for number in range(1, 6)]
    words = memory_of(tasks, {LOCK: (tasks[0].address, tasks[1:])}, offsets is OFFSETS)
    found = locks.locks(kernel_of(tasks, words, offsets, monkeypatch))
    assert [(wait.pid, wait.lock, wait.owner_pid) for wait in found] == [(pid, LOCK, 1) for pid in (2, 3, 4, 5)]
    ring, closed = locks.chain({wait.task: wait for wait in found}, tasks[3].address)
    assert (len(ring), closed) == (1, False)


def test_a_waiter_whose_links_disagree_is_not_believed(monkeypatch):
    one = task(1, A)
    words = memory_of([one], {LOCK: (B, [one])})
    words[LOCK + 24] = LOCK  # the lock's list names another as the last
    assert locks.locks(kernel_of([one], words, OFFSETS, monkeypatch)) == []


def test_an_owner_that_is_no_task_is_none(monkeypatch):
    one = task(1, A)
    words = memory_of([one], {LOCK: (0xDEAD0, [one])})
    (wait,) = locks.locks(kernel_of([one], words, OFFSETS, monkeypatch))
    assert (wait.owner, wait.owner_pid, wait.owner_comm) == (None, None, None)


def test_a_task_that_sleeps_otherwise_waits_for_no_lock(monkeypatch):
    one = task(1, A, state=1)
    words = memory_of([one], {LOCK: (B, [one])})
    assert locks.locks(kernel_of([one], words, OFFSETS, monkeypatch)) == []


def test_a_chain_into_a_circle_returns_the_circle():
    def wait(pid, owner):
        return locks.Wait(pid, f"t{pid}", "mutex", LOCK + pid, None, owner, None, False, pid, owner)

    waits = {one.task: one for one in (wait(1, 2), wait(2, 3), wait(3, 2))}
    ring, closed = locks.chain(waits, 1)
    assert closed
    assert [one.pid for one in ring] == [2, 3]


def test_the_deadlock_of_a_real_dump():
    first, second = locks.locks(case_of("6.1-deadlock").kernel)
    assert {first.kind, second.kind} == {"mutex"}
    assert {first.name, second.name} == {"lab_a+0x8 [labcrash]", "lab_b+0x8 [labcrash]"}
    assert (first.owner_comm, second.owner_comm) == (second.comm, first.comm)
