"""Sleeping locks that tasks wait for, and who holds them: mutexes, rw_semaphores, semaphores, and the unlisted.

Follows kernel/locking/{mutex,rwsem,semaphore}.c. A waiter stands on the stack of the task that waits, linked with the
other waiters of its lock. It is believed only where its links agree both ways, it names its own task, and a function of
such a lock is on the stack. Until 7.1 the ring of waiters runs through the lock; since then the lock points at its
first waiter, and is found among the words of the waiters' stacks by that. Who waits interruptibly (S) waits as well.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oopscope.errors import Absent, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.stack import Stack, task_stack
from oopscope.lazy_re import lazy_re
from oopscope.linux.task import TaskStruct, all_tasks_known, task_structs
from oopscope.linux.task_state import TASK_NOLOAD, decode_comm
from oopscope.waits.offsets import lowest
from oopscope.waits.sleepers import (
    BLOCKED,
    SLEEPS,
    Seen,
    Sleeper,
    functions_of,
    is_linked,
    let_stacks_go,
    sleepers,
    stacks_seen,
    words_of,
)
from oopscope.waits.unlisted import Unlisted
from oopscope.waits.wait import Wait, chain, circles

__all__ = ["KINDS", "Wait", "all_locks", "chain", "circles"]
MAX_WAITERS = 1 << 16
OWNER_FLAGS = 7  # the low bits of mutex.owner and rw_semaphore.owner
READER_OWNED = 1  # RWSEM_READER_OWNED: the owner is only the last reader that came
# the readers in rw_semaphore.count (64489e78004c "locking/rwsem: Implement a new locking scheme", 5.3)
READER_SHIFT, READER_MASK = 8, (1 << 47) - 1


class LockType(NamedTuple):
    """A kind of lock: its name, its struct, its waiter's, and the functions in which one waits for it."""

    name: str
    lock: str
    waiter: str
    functions: re.Pattern[str]


KINDS = (
    LockType("mutex", "mutex", "mutex_waiter", lazy_re(r"_*(ww_)?mutex_lock")),
    LockType("rw_semaphore", "rw_semaphore", "rwsem_waiter", lazy_re(r"_*(rwsem_)?down_(read|write)")),
    LockType(
        "semaphore",
        "semaphore",
        "semaphore_waiter",
        lazy_re(r"_*down(_common|_interruptible|_killable|_timeout)?$"),
    ),
)


class _Waiter(NamedTuple):
    """A waiter on a task's stack."""

    task: TaskStruct
    kind: LockType
    address: int


class _Shape(NamedTuple):
    """Where the members of a kind of lock are; `ring` is that of its list of waiters, None since it has no list."""

    list: int
    task: int
    ring: int | None
    first: int | None
    owner: int | None
    counted: int | None = None  # of the count of readers


def _shape(kernel: Kernel, kind: LockType) -> _Shape:
    types = kernel.types
    ring = first = owner = None
    if types.has_member(kind.lock, "wait_list"):
        ring = types.member(kind.lock, "wait_list").offset
    else:
        first = types.member(kind.lock, "first_waiter").offset  # 7.1
    if types.has_member(kind.lock, "owner.counter"):
        owner = types.member(kind.lock, "owner.counter").offset
    elif types.has_member(kind.lock, "last_holder"):
        # 194a9b9e843b "hung_task: show the blocker task if the task is hung on semaphore", 6.16
        owner = types.member(kind.lock, "last_holder").offset
    has_count = kind.name == "rw_semaphore" and types.has_member(kind.lock, "count.counter")
    count = types.member(kind.lock, "count.counter").offset if has_count else None
    link, task = types.member(kind.waiter, "list").offset, types.member(kind.waiter, "task").offset
    return _Shape(link, task, ring, first, owner, count)


class _Search:
    """One look at all blocked tasks."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.tasks, self.seen = kernel.cached(task_structs), stacks_seen(kernel)
        self._shapes: dict[str, _Shape | None] = {}
        self._unlisted = Unlisted(kernel)
        self._locks: dict[tuple[str, int], int | None] = {}  # by the kind and the waiter, of rings that were followed

    def shape(self, kind: LockType) -> _Shape | None:
        if kind.name not in self._shapes:
            try:
                self._shapes[kind.name] = _shape(self.kernel, kind)
            except Absent:
                self._shapes[kind.name] = None
        return self._shapes[kind.name]

    def waits(self) -> Iterator[Wait]:
        for task in self.tasks.values():
            if task.on_cpu or task.exit_state or not task.state & SLEEPS or task.state & TASK_NOLOAD:
                continue
            try:
                wait = self._of(task)
            except ReadError as e:
                self.kernel.problems.lost("locks", f"what {task.pid} waits for")(e)
                continue
            if wait is not None:
                yield wait

    def _of(self, task: TaskStruct) -> Wait | None:
        seen = self.seen[task.address]
        known = self._in_known_ring(task, seen)
        if known is not None:
            return known
        candidates = self._candidates(seen)
        if not task.state & BLOCKED and not any(candidates.values()) and not self._unlisted.names_a_lock(task):
            return None  # most sleep for something else: their stacks are not unwound
        symbols = functions_of(self.kernel, task.address)
        waiter = self._waiter(task, symbols, candidates)
        found = self._lock(waiter) if waiter is not None else None
        if waiter is not None and found is not None:
            return self._wait(waiter, found)
        return self._unlisted.of(task, symbols)

    def _in_known_ring(self, task: TaskStruct, seen: Seen) -> Wait | None:
        """Return the wait of a task whose waiter hangs in a ring that was followed: what its nodes are is known."""
        if not self._locks:
            return None
        for kind in KINDS:
            shape = self.shape(kind)
            for place in seen.places if shape is not None else ():
                address = place - (shape.task if shape is not None else 0)
                lock = self._locks.get((kind.name, address))
                if lock is not None:
                    return self._wait(_Waiter(task, kind, address), lock)
        return None

    def _candidates(self, seen: Seen) -> dict[str, list[int]]:
        """Return of each kind the addresses on a task's stack where a linked waiter of its own may stand."""
        found: dict[str, list[int]] = {}
        same: dict[tuple[int, int, bool], list[int]] = {}  # most kinds of waiter begin alike
        for kind in KINDS if seen.places else ():
            shape = self.shape(kind)
            if shape is None:
                continue
            at = shape.list, shape.task, shape.ring is None
            if at not in same:
                same[at] = [place - shape.task for place in seen.places if self._is_waiter(place, shape, seen)]
            found[kind.name] = same[at]
        return found

    def _is_waiter(self, place: int, shape: _Shape, seen: Seen) -> bool:
        node = place - shape.task + shape.list
        return seen.may_link(node) and is_linked(self.kernel, node, headless=shape.ring is None)

    def _waiter(self, task: TaskStruct, symbols: Sequence[str], candidates: dict[str, list[int]]) -> _Waiter | None:
        """Return the waiter on a task's stack, where a function of a lock's is on it."""
        kind = next((k for k in KINDS if any(k.functions.match(symbol) for symbol in symbols)), None)
        if kind is None or not candidates.get(kind.name):
            return None
        return _Waiter(task, kind, candidates[kind.name][0])

    def _stack(self, task: TaskStruct) -> Stack:
        return task_stack(self.kernel, task.stack)

    def _lock(self, waiter: _Waiter) -> int | None:
        """Return the lock that a waiter waits for; that of a ring is found once for all who wait in it."""
        key = waiter.kind.name, waiter.address
        shape = self.shape(waiter.kind)
        if shape is None or key in self._locks:
            return self._locks.get(key)
        nodes, head = self._ring(waiter, shape)
        if shape.ring is not None:
            lock = None if head is None else head - shape.ring
        else:
            lock = next((lock for lock in self._pointed_at(waiter) if self._first(lock, shape) in nodes), None)
        if lock is not None:
            self._locks |= dict.fromkeys(((waiter.kind.name, node) for node in nodes), lock)
        return lock

    def _ring(self, waiter: _Waiter, shape: _Shape) -> tuple[set[int], int | None]:
        """Return the waiters linked with one, and the first node that is none: the list's head in the lock."""
        begin = waiter.address + shape.list
        ring, node = {waiter.address}, self.memory.word(begin)
        while node != begin and len(ring) < MAX_WAITERS:
            if not self._stands_on_its_stack(node, shape):
                return ring, node
            if node - shape.list in ring:
                break
            ring.add(node - shape.list)
            node = self.memory.word(node)
        return ring, None

    def _stands_on_its_stack(self, node: int, shape: _Shape) -> bool:
        try:
            task = self.tasks.get(self.memory.word(node - shape.list + shape.task))
        except ReadError:  # behind a lock there need not be anything
            return False
        return task is not None and node in self._stack(task)

    def _pointed_at(self, waiter: _Waiter) -> Iterator[int]:
        own = self._stack(waiter.task)
        size, floor = self.memory.word_size, lowest(self.kernel)
        for word in dict.fromkeys(words_of(self.kernel, waiter.task)):
            if word >= floor and not word % size and word not in own:
                yield word

    def _first(self, lock: int, shape: _Shape) -> int | None:
        try:
            return self.memory.word(lock + (shape.first or 0))
        except ReadError:
            return None

    def _wait(self, waiter: _Waiter, lock: int) -> Wait:
        task, kind = waiter.task, waiter.kind
        owner, readers, count = self._owner(lock, kind)
        holder = self.tasks.get(owner) if owner is not None else None
        lives = holder is not None and not holder.exit_state
        name = self.kernel.name_of(lock)
        return Wait(
            task.pid, decode_comm(task.comm), kind.name, lock, str(name) if name is not None else None,
            holder.pid if holder and lives else None, decode_comm(holder.comm) if holder and lives else None, readers,
            task.address, holder.address if holder and lives else None,
            ended=owner is not None and not lives and not readers and all_tasks_known(self.kernel), reader_count=count,
            free=owner is None and readers is False,
        )  # fmt: skip

    def _owner(self, lock: int, kind: LockType) -> tuple[int | None, bool | None, int | None]:
        """Return a lock's owner by its own word, whether it is readers', and how many readers are counted."""
        shape = self.shape(kind)
        if shape is None or shape.owner is None:
            return None, None, None
        try:
            word = self.memory.word(lock + shape.owner)
            count = self.memory.word(lock + shape.counted) if shape.counted is not None else None
        except ReadError as e:
            self.kernel.problems.lost("locks", f"owner of the {kind.name} {lock:#x}")(e)
            return None, None, None
        readers = bool(word & READER_OWNED) if kind.name == "rw_semaphore" else False
        held_by = count >> READER_SHIFT & READER_MASK if count is not None and readers else None
        return word & ~OWNER_FLAGS or None, readers, held_by


@once
def all_locks(kernel: Kernel) -> list[Wait]:
    """Return the waits for sleeping locks, those of one lock together."""
    search = _Search(kernel)
    found = list(search.waits())
    if not all_tasks_known(kernel):
        kernel.problems.add("locks", "not every task could be read: what the others wait for is not known")
    return sorted(found, key=lambda wait: (wait.lock, wait.pid))


@once
def unlocked(kernel: Kernel) -> list[Sleeper]:
    """Return the sleepers that wait for no lock: what they do wait for is for others to find."""
    locked = {wait.task for wait in all_locks(kernel) if wait.kind != "futex"}
    return [one for one in sleepers(kernel) if one.address not in locked]


def let_go(kernel: Kernel) -> None:
    """Forget the sleepers and their stacks; what they wait for stays known."""
    kernel.forget(unlocked)
    let_stacks_go(kernel)
