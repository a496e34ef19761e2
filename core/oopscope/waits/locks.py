"""Sleeping locks that blocked tasks wait for, and who holds them: mutexes, rw_semaphores, semaphores.

Follows kernel/locking/{mutex,rwsem,semaphore}.c. A waiter stands on the stack of the task that waits, linked with the
other waiters of its lock. It is believed only where its links agree both ways and it names its own task. Until 7.1 the
ring of waiters runs through the lock; since then the lock points at its first waiter, and is found among the words of
the waiters' stacks by that.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Absent, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import Stack, task_stack
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.linux.task_state import decode_comm, state_letter
from oopscope.stacks.tasks import stack

MAX_STACK = 64 << 10
MAX_WAITERS = 1 << 16
OWNER_FLAGS = 7  # the low bits of mutex.owner and rw_semaphore.owner
READER_OWNED = 1  # RWSEM_READER_OWNED: the owner is only the last reader that came


class Kind(NamedTuple):
    """A kind of lock: its name, its struct, its waiter's, and the functions in which one waits for it."""

    name: str
    lock: str
    waiter: str
    functions: re.Pattern[str]


KINDS = (
    Kind("mutex", "mutex", "mutex_waiter", re.compile(r"_*(ww_)?mutex_lock")),
    Kind("rw_semaphore", "rw_semaphore", "rwsem_waiter", re.compile(r"_*(rwsem_)?down_(read|write)")),
    Kind(
        "semaphore", "semaphore", "semaphore_waiter", re.compile(r"_*down(_common|_interruptible|_killable|_timeout)?$")
    ),
)


class Wait(NamedTuple):
    """A task that waits for a lock; the owner is None where none is recorded, or it cannot be read."""

    pid: int
    comm: str
    kind: str
    lock: int
    name: str | None  # of a lock that is a variable
    owner_pid: int | None
    owner_comm: str | None
    readers: bool | None  # held by readers: the owner is the last that came, if any
    task: int
    owner: int | None


class _Waiter(NamedTuple):
    """A waiter on a task's stack, and the words of that stack."""

    task: TaskStruct
    kind: Kind
    address: int
    words: tuple[int, ...]


class _Shape(NamedTuple):
    """Where the members of a kind of lock are; `ring` is that of its list of waiters, None since it has no list."""

    list: int
    task: int
    ring: int | None
    first: int | None
    owner: int | None


def _shape(kernel: Kernel, kind: Kind) -> _Shape:
    types = kernel.types
    ring = first = owner = None
    if types.has_member(kind.lock, "wait_list"):
        ring = types.member(kind.lock, "wait_list").offset
    else:
        first = types.member(kind.lock, "first_waiter").offset  # 7.1
    if types.has_member(kind.lock, "owner.counter"):
        owner = types.member(kind.lock, "owner.counter").offset
    link, task = types.member(kind.waiter, "list").offset, types.member(kind.waiter, "task").offset
    return _Shape(link, task, ring, first, owner)


class _Search:
    """One look at all blocked tasks."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.tasks = kernel.cached(task_structs)
        self._shapes: dict[str, _Shape | None] = {}

    def shape(self, kind: Kind) -> _Shape | None:
        if kind.name not in self._shapes:
            try:
                self._shapes[kind.name] = _shape(self.kernel, kind)
            except Absent:
                self._shapes[kind.name] = None
        return self._shapes[kind.name]

    def waits(self) -> Iterator[Wait]:
        for task in self.tasks.values():
            if task.on_cpu or state_letter(task.state, task.exit_state) != "D":
                continue
            try:
                waiter = self._waiter(task)
                found = self._lock(waiter) if waiter is not None else None
            except ReadError as e:
                self.kernel.problems.lost("locks", f"what {task.pid} waits for")(e)
                continue
            if waiter is not None and found is not None:
                yield self._wait(waiter, found)

    def _waiter(self, task: TaskStruct) -> _Waiter | None:
        """Return the waiter on a blocked task's stack, where a function of a lock's is on it."""
        symbols = [frame.symbol for frame in stack(self.kernel, task.address) if frame.symbol and frame.kind != "user"]
        kind = next((k for k in KINDS if any(k.functions.match(symbol) for symbol in symbols)), None)
        shape = self.shape(kind) if kind is not None else None
        if kind is None or shape is None:
            return None
        words = self._words(task)
        size = self.memory.word_size
        for at, word in enumerate(words):
            address = task.sp + at * size - shape.task
            if word == task.address and self._is_linked(address + shape.list):
                return _Waiter(task, kind, address, words)
        return None

    def _words(self, task: TaskStruct) -> tuple[int, ...]:
        whole = self._stack(task)
        if task.sp not in whole:
            return ()
        count = min(whole.end - task.sp, MAX_STACK) // self.memory.word_size
        return tuple(self.memory.words(task.sp, count))

    def _stack(self, task: TaskStruct) -> Stack:
        return task_stack(self.kernel, task.stack)

    def _is_linked(self, node: int) -> bool:
        try:
            following, before = self.memory.words(node, 2)
            return self.memory.words(following, 2)[1] == node and self.memory.word(before) == node
        except ReadError:
            return False

    def _lock(self, waiter: _Waiter) -> int | None:
        shape = self.shape(waiter.kind)
        if shape is None:
            return None
        ring, head = self._ring(waiter, shape)
        if shape.ring is not None:
            return None if head is None else head - shape.ring
        return next((lock for lock in self._pointed_at(waiter) if self._first(lock, shape) in ring), None)

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
        size = self.memory.word_size
        for word in dict.fromkeys(waiter.words):
            if word >= 1 << (8 * size - 1) and not word % size and word not in own:
                yield word

    def _first(self, lock: int, shape: _Shape) -> int | None:
        try:
            return self.memory.word(lock + (shape.first or 0))
        except ReadError:
            return None

    def _wait(self, waiter: _Waiter, lock: int) -> Wait:
        task, kind = waiter.task, waiter.kind
        owner, readers = self._owner(lock, kind)
        holder = self.tasks.get(owner) if owner is not None else None
        name = self.kernel.name_of(lock)
        return Wait(
            task.pid, decode_comm(task.comm), kind.name, lock, str(name) if name is not None else None,
            holder.pid if holder else None, decode_comm(holder.comm) if holder else None, readers, task.address,
            holder.address if holder else None,
        )  # fmt: skip

    def _owner(self, lock: int, kind: Kind) -> tuple[int | None, bool | None]:
        shape = self.shape(kind)
        if shape is None or shape.owner is None:
            return None, None
        try:
            word = self.memory.word(lock + shape.owner)
        except ReadError as e:
            self.kernel.problems.lost("locks", f"owner of the {kind.name} {lock:#x}")(e)
            return None, None
        readers = bool(word & READER_OWNED) if kind.name == "rw_semaphore" else False
        return word & ~OWNER_FLAGS or None, readers


def locks(kernel: Kernel) -> list[Wait]:
    """Return the waits for sleeping locks, those of one lock together."""
    found = list(_Search(kernel).waits())
    return sorted(found, key=lambda wait: (wait.lock, wait.pid))


def all_locks(kernel: Kernel) -> list[Wait]:
    """Return the waits for sleeping locks, read once."""
    return kernel.cached(locks)


def chain(waits: dict[int, Wait], task: int) -> tuple[list[Wait], bool]:
    """Follow a task to the lock it waits for, to its owner, and on; return the waits, and whether they close a circle.

    `waits` is by the task's address. A lock that readers hold has no one owner, so there the chain ends.
    """
    found: list[Wait] = []
    seen: set[int] = set()
    while task in waits and task not in seen:
        seen.add(task)
        found.append(waits[task])
        owner = waits[task].owner
        if owner is None or waits[task].readers:
            return found, False
        task = owner
    if task not in seen:
        return found, False
    first = next(at for at, wait in enumerate(found) if wait.task == task)
    return found[first:], True
