"""Who waits for which sleeping lock: on a real dump, and on hand-made stacks with both shapes of lock."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import oopscope.waits.locks as locks
from cases import case_of
from core.triage.fakes import Words, stack
from core.waits.made import made
from oopscope.errors import NoMember
from oopscope.kernel.kernel import Name
from oopscope.kernel.once import reader
from oopscope.kernel.problems import Problems
from oopscope.kernel.stack import thread_size
from oopscope.linux.task import TaskStruct, lost_tasks, task_structs
from oopscope.waits import nodes
from oopscope.waits.kinds import locks as lock_kinds

OFFSETS = {
    "mutex": {"owner.counter": 0, "wait_list": 16},
    "mutex_waiter": {"list": 0, "task": 16},
}
NO_LIST = {**OFFSETS, "mutex": {"owner.counter": 0, "first_waiter": 16}}  # since 7.1
BASE, SIZE = 0xFFFFC90000000000, 0x4000
A, B = 0xFFFF888000001000, 0xFFFF888000002000  # tasks
LOCK, OTHER = 0xFFFFFFFFC0000000, 0xFFFFFFFFC0000100


class Types:
    def __init__(self, offsets: Any) -> None:
        self.offsets = offsets

    def has(self, struct: Any) -> Any:
        return struct in self.offsets

    def has_member(self, struct: Any, path: Path) -> Any:
        return path in self.offsets.get(struct, {})

    def member(self, struct: Any, path: Path) -> Any:
        if not self.has_member(struct, path):
            raise NoMember(struct, path)
        return SimpleNamespace(offset=self.offsets[struct][path])


ALL_LOCKS: Any = vars(locks.all_locks)["__wrapped__"]  # of a kernel that keeps nothing


def task(number: int, address: int, state: int = 2) -> Any:
    base = BASE + number * SIZE
    return TaskStruct(
        address, number, number, b"t%d" % number, state, 0, 0, base, 0, 0, 0, 0, 0, base + 0x3F00, 0, None
    )


def waiter_of(one: Any) -> Any:
    """Where the waiter stands on a task's stack."""
    return one.stack + 0x3F40


def memory_of(tasks: Any, waits: Any, with_list: bool = True) -> Any:
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


def names(frames: Any) -> tuple[str, ...]:
    return tuple(frame.symbol for frame in frames if frame.symbol and frame.kind != "user")


def kernel_of(tasks: Any, words: Any, offsets: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(
        locks, "functions_of", lambda kernel, address: names(stack("__schedule+0x1", "__mutex_lock+0x2"))
    )
    found = {task_structs: {one.address: one for one in tasks}, lost_tasks: {}, thread_size: SIZE}
    kernel = SimpleNamespace(
        machine=SimpleNamespace(kernel_from=lambda _kernel: 1 << 63),
        types=Types(offsets),
        memory=Words(words),
        problems=Problems(),
        name_of=lambda address: None,
        endian="<",
    )
    kernel.cached = lambda read: found[read] if read in found else reader(read)(kernel)
    return kernel


@pytest.mark.parametrize("offsets", [OFFSETS, NO_LIST], ids=["list", "first waiter"])
def test_two_that_wait_for_each_other(offsets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = task(1, A), task(2, B)
    words = memory_of([one, two], {LOCK: (B | 1, [one]), OTHER: (A, [two])}, offsets is OFFSETS)
    found = ALL_LOCKS(kernel_of([one, two], words, offsets, monkeypatch))
    assert [(wait.pid, wait.lock, wait.owner_pid) for wait in found] == [(1, LOCK, 2), (2, OTHER, 1)]
    ring, closed = locks.chain({wait.task: wait for wait in found}, A)
    assert closed
    assert [wait.pid for wait in ring] == [1, 2]


@pytest.mark.parametrize("offsets", [OFFSETS, NO_LIST], ids=["list", "first waiter"])
def test_one_lock_has_many_waiters_and_its_owner_none(offsets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [task(number, A + number * 0x1000) for number in range(1, 6)]
    words = memory_of(tasks, {LOCK: (tasks[0].address, tasks[1:])}, offsets is OFFSETS)
    found = ALL_LOCKS(kernel_of(tasks, words, offsets, monkeypatch))
    assert [(wait.pid, wait.lock, wait.owner_pid) for wait in found] == [(pid, LOCK, 1) for pid in (2, 3, 4, 5)]
    ring, closed = locks.chain({wait.task: wait for wait in found}, tasks[3].address)
    assert (len(ring), closed) == (1, False)


def test_a_waiter_whose_links_disagree_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(1, A)
    words = memory_of([one], {LOCK: (B, [one])})
    words[LOCK + 24] = LOCK  # the lock's list names another as the last
    assert ALL_LOCKS(kernel_of([one], words, OFFSETS, monkeypatch)) == []


def test_a_waiter_of_before_that_is_in_no_list_any_more_hides_none(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(1, A)
    words = memory_of([one], {LOCK: (B, [one])})
    old = one.sp + 0x10
    words |= {old: old, old + 8: old, old + 16: one.address}
    assert [wait.lock for wait in ALL_LOCKS(kernel_of([one], words, OFFSETS, monkeypatch))] == [LOCK]


def test_an_owner_that_is_no_task_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(1, A)
    words = memory_of([one], {LOCK: (0xDEAD0, [one])})
    (wait,) = ALL_LOCKS(kernel_of([one], words, OFFSETS, monkeypatch))
    assert (wait.owner, wait.owner_pid, wait.owner_comm) == (None, None, None)
    assert wait.ended


def test_an_owner_is_not_said_to_have_ended_where_not_all_tasks_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(1, A)
    kernel = kernel_of([one], memory_of([one], {LOCK: (0xDEAD0, [one])}), OFFSETS, monkeypatch)
    kernel.problems.add("tasks", "pages are missing")
    (wait,) = ALL_LOCKS(kernel)
    assert (wait.owner, wait.ended, wait.free) == (None, False, False)


def test_a_lock_that_nobody_has_is_said_to_be_free(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(1, A)
    kernel = kernel_of([one], memory_of([one], {LOCK: (0, [one])}), OFFSETS, monkeypatch)
    (wait,) = ALL_LOCKS(kernel)
    assert (wait.owner, wait.ended, wait.free) == (None, False, True)
    monkeypatch.setattr(lock_kinds, "lock_name", lambda *_: "lock")
    assert lock_kinds._node(kernel, wait).note == "free: who waits first is to take it"
    assert lock_kinds._node(kernel, wait._replace(kind="semaphore")).note == ""


def test_an_owner_that_is_the_waiter_itself_closes_no_circle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that ended with the lock may have left it its memory: an address is no identity."""
    one = task(1, A)
    (wait,) = ALL_LOCKS(kernel_of([one], memory_of([one], {LOCK: (A, [one])}), OFFSETS, monkeypatch))
    assert wait.owner == A
    assert locks.chain({A: wait}, A) == ([wait], False)
    assert locks.circles({A: wait}) == []


RWSEM = {
    "rw_semaphore": {"count.counter": 8, "owner.counter": 0, "wait_list": 16},
    "rwsem_waiter": {"list": 0, "task": 16},
}


@pytest.mark.parametrize(("readers", "holder"), [(1, B), (3, None)])
def test_readers_are_holders_only_where_there_is_one(
    readers: int, holder: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = task(1, A), task(2, B, state=1)
    words = memory_of([one, two], {LOCK: (B | 1, [one])})
    words[LOCK + 8] = readers << 8
    kernel = kernel_of([one, two], words, RWSEM, monkeypatch)
    monkeypatch.setattr(locks, "functions_of", lambda kernel, address: names(stack("__schedule+0x1", "down_write+0x2")))
    (wait,) = ALL_LOCKS(kernel)
    assert (wait.readers, wait.reader_count, wait.holder) == (True, readers, holder)


RT = {
    "rt_mutex_waiter": {"task": 0x50, "lock": 0x58},
    "rt_mutex_base": {"owner": 0x18},
}


def test_an_rt_mutex_is_found_by_the_task_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, waiter = task(1, A), task(2, B, state=1), BASE + SIZE + 0x3F40
    one = one._replace(pi_blocked_on=waiter)
    words = {waiter + 0x50: A, waiter + 0x58: LOCK, LOCK + 0x18: B | 1}
    kernel = kernel_of([one, two], words, RT, monkeypatch)
    monkeypatch.setattr(
        locks, "functions_of", lambda kernel, address: names(stack("__schedule+0x1", "__rt_mutex_slowlock+0x2"))
    )
    (wait,) = ALL_LOCKS(kernel)
    assert (wait.kind, wait.lock, wait.owner_pid) == ("rt_mutex", LOCK, 2)


def test_a_waiter_that_is_anothers_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    one, waiter = task(1, A), BASE + SIZE + 0x3F40
    one = one._replace(pi_blocked_on=waiter)
    words = {waiter + 0x50: B, waiter + 0x58: LOCK, LOCK + 0x18: B}
    kernel = kernel_of([one], words, RT, monkeypatch)
    assert ALL_LOCKS(kernel) == []


PERCPU = {
    "wait_queue_entry": {"private": 8, "func": 16, "entry": 24},
    "percpu_rw_semaphore": {"waiters.head": 72, "writer.task": 56},
}
WAKE = 0xFFFFFFFF81000040


def test_a_percpu_rwsem_is_found_by_the_reader_that_waits_and_by_its_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = task(1, A), task(2, B)
    entry = reader.sp + 0x40
    words = {at: 0 for one in (reader, writer) for at in range(one.sp, one.stack + SIZE, 8)}
    words |= {entry + 8: A, entry + 16: WAKE, entry + 24: LOCK + 72, entry + 32: LOCK + 72}
    words |= {LOCK + 56: B, LOCK + 72: entry + 24, writer.sp + 16: LOCK}
    kernel = kernel_of([reader, writer], words, PERCPU, monkeypatch)
    kernel.name_of = lambda address: Name("percpu_rwsem_wake_function", 0, None) if address == WAKE else None
    stacks = {A: stack("percpu_rwsem_wait+0x1"), B: stack("percpu_down_write+0x2")}
    monkeypatch.setattr(locks, "functions_of", lambda kernel, address: names(stacks[address]))
    found = {wait.pid: wait for wait in ALL_LOCKS(kernel)}
    assert {wait.lock for wait in found.values()} == {LOCK}
    assert (found[1].owner_pid, found[1].readers) == (2, False)
    assert (found[2].owner_pid, found[2].readers) == (None, True)  # which readers, nothing records


def test_a_task_that_sleeps_otherwise_waits_for_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(1, A, state=1)
    words = memory_of([one], {LOCK: (B, [one])})
    kernel = kernel_of([one], words, OFFSETS, monkeypatch)
    monkeypatch.setattr(locks, "functions_of", lambda kernel, address: names(stack("__schedule+0x1", "do_poll+0x2")))
    assert ALL_LOCKS(kernel) == []


@pytest.mark.parametrize("state", [1, 0x102, 0x1000], ids=["interruptible", "killable", "RT lock wait"])
def test_who_sleeps_interruptibly_for_a_lock_waits_as_well(state: int, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = task(1, A, state=state), task(2, B, state=1)
    words = memory_of([one], {LOCK: (B, [one])}) | dict.fromkeys(range(two.sp, two.stack + SIZE, 8), 0)
    (wait,) = ALL_LOCKS(kernel_of([one, two], words, OFFSETS, monkeypatch))
    assert (wait.pid, wait.owner_pid) == (1, 2)


ON_RT = {**RT, "rw_semaphore": {"rwbase.rtmutex": 8, "rwbase.readers": 0}}


@pytest.mark.parametrize(
    ("function", "kind", "lock"),
    [
        ("mutex_lock", "mutex", LOCK),
        ("rt_spin_lock", "spinlock", LOCK),
        ("rwbase_read_lock", "rw_semaphore", LOCK - 8),
        ("futex_lock_pi", "futex", LOCK),
    ],
)
def test_on_preempt_rt_every_sleeping_lock_is_an_rt_mutex(
    function: str, kind: str, lock: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, waiter = task(1, A), task(2, B, state=1), BASE + SIZE + 0x3F40
    one = one._replace(pi_blocked_on=waiter)
    words = {waiter + 0x50: A, waiter + 0x58: LOCK, LOCK + 0x18: B | 1}
    kernel = kernel_of([one, two], words, ON_RT, monkeypatch)
    monkeypatch.setattr(
        locks, "functions_of", lambda kernel, address: names(stack("__schedule+0x1", f"{function}+0x2"))
    )
    (wait,) = ALL_LOCKS(kernel)
    assert (wait.kind, wait.lock, wait.owner_pid) == (kind, lock, 2)


def test_a_chain_into_a_circle_returns_the_circle() -> None:
    def wait(pid: int, owner: Any) -> Any:
        return locks.Wait(pid, f"t{pid}", "mutex", LOCK + pid, None, owner, None, False, pid, owner)

    waits = {one.task: one for one in (wait(1, 2), wait(2, 3), wait(3, 2))}
    ring, closed = locks.chain(waits, 1)
    assert closed
    assert [one.pid for one in ring] == [2, 3]


def test_the_deadlock_of_a_real_dump() -> None:
    first, second = ALL_LOCKS(case_of("6.1-deadlock").kernel)
    assert {first.kind, second.kind} == {"mutex"}
    assert {first.name, second.name} == {"lab_a+0x8 [labcrash]", "lab_b+0x8 [labcrash]"}
    assert (first.owner_comm, second.owner_comm) == (second.comm, first.comm)


def test_a_lock_of_what_maps_a_file_is_called_by_its_inode(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"inode.i_rwsem": 0x10, "inode.i_data.i_mmap_rwsem": 0x80}
    kernel = made(monkeypatch, nodes, members, {})
    known = {0x5000: "inode 23 of /"}

    def inode_name(_kernel: Any, inode: int) -> str | None:
        if inode not in known:
            raise NoMember("inode", "i_sb")
        return known[inode]

    monkeypatch.setattr(nodes, "inode_name", inode_name)
    assert nodes._inode(kernel, 0x5010) == "inode 23 of /"
    assert nodes._inode(kernel, 0x5080) == "i_mmap_rwsem of inode 23 of /"
    assert nodes._inode(kernel, 0x6000) is None
