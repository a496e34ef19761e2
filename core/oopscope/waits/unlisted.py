"""Waits for locks whose waiters stand in no list of the lock's: rt_mutexes and percpu_rw_semaphores.

Follows kernel/locking/rtmutex.c: a task that waits for an rt_mutex names its waiter in pi_blocked_on, and that names
the lock. And kernel/locking/percpu-rwsem.c (since 7f26482a872c "locking/percpu-rwsem: Remove the embedded rwsem", 5.7):
a reader that waits has a wait queue entry of percpu_rwsem_wake_function on its stack; a writer that waits for the
readers is named by the lock's rcuwait. Which readers hold such a lock nothing records; nor who holds its writing side
once it no longer waits. On PREEMPT_RT (kernel/locking/{rtmutex_api,rwbase_rt,spinlock_rt}.c) mutexes, rw_semaphores and
spinlocks are rt_mutexes too.
"""

from collections.abc import Sequence
from typing import NamedTuple

from oopscope.errors import Absent, ReadError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import task_stack
from oopscope.lazy_re import lazy_re
from oopscope.linux.task import TaskStruct, task_structs
from oopscope.linux.task_state import decode_comm
from oopscope.waits.offsets import lowest
from oopscope.waits.sleepers import stack_words
from oopscope.waits.wait import Wait

MAX_ENTRIES = 1 << 16
HAS_WAITERS = 1  # the low bit of rt_mutex_base.owner
WAKE_READER = "percpu_rwsem_wake_function"
READERS = (1 << 30) - 1  # below WRITER_BIAS in rwbase_rt.readers
# What a task waits for by an rt_mutex, by the functions on its stack: on PREEMPT_RT every sleeping lock is one.
_RT_KINDS = (
    (lazy_re(r"_*(futex_lock_pi|futex_wait_requeue_pi|rt_mutex_wait_proxy_lock)"), "futex"),
    (lazy_re(r"_*(rt_spin_lock|rtlock_slow|rt_read_lock|rt_write_lock)"), "spinlock"),
    (lazy_re(r"_*(down_(read|write)|rwbase_)"), "rw_semaphore"),
    (lazy_re(r"_*(ww_)?mutex_lock|_*ww_rt_mutex_lock"), "mutex"),
)
_RT_WRITES = lazy_re(r"_*(rwbase_write_lock|down_write)")
_READS = lazy_re(r"_*percpu_(down_read|rwsem_wait)")
_WRITES = lazy_re(r"_*percpu_down_write")


class Unlisted:
    """The locks of one kernel whose waiters are found from the tasks' side."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.tasks = kernel.cached(task_structs)
        self._rt, self._percpu = _rt_shape(kernel), _percpu_shape(kernel)

    def names_a_lock(self, task: TaskStruct) -> bool:
        """Tell whether a task names the waiter by which it waits for an rt_mutex."""
        return self._rt is not None and bool(task.pi_blocked_on)

    def of(self, task: TaskStruct, symbols: Sequence[str]) -> Wait | None:
        """Return what a sleeping task waits for, with these functions on its stack; None where it is none of these."""
        found = self._rt_mutex(task, symbols) or self._rt_writer(task, symbols)
        if found is None and self._percpu is not None:
            if any(_READS.match(symbol) for symbol in symbols):
                found = self._reader(task, self._percpu)
            elif any(_WRITES.match(symbol) for symbol in symbols):
                found = self._writer(task, self._percpu)
        return found

    def _rt_mutex(self, task: TaskStruct, symbols: Sequence[str]) -> Wait | None:
        shape = self._rt
        waiter = task.pi_blocked_on
        if shape is None or not waiter or self.memory.word(waiter + shape.task) != task.address:
            return None
        base = self.memory.word(waiter + shape.lock)
        owner = self.memory.word(base + shape.owner) & ~HAS_WAITERS
        kind = next((kind for pattern, kind in _RT_KINDS if any(pattern.match(symbol) for symbol in symbols)), "")
        if kind == "rw_semaphore" and shape.rwsem is not None:
            return self._wait(task, kind, base - shape.rwsem, owner, False)
        return self._wait(task, kind or "rt_mutex", base, owner, False)

    def _rt_writer(self, task: TaskStruct, symbols: Sequence[str]) -> Wait | None:
        """On PREEMPT_RT a writer that waits for readers owns the lock's rt_mutex; the lock is among its words."""
        shape = self._rt
        if shape is None or shape.rwsem is None or not any(_RT_WRITES.match(symbol) for symbol in symbols):
            return None
        own, size, floor = task_stack(self.kernel, task.stack), self.memory.word_size, lowest(self.kernel)
        for word in dict.fromkeys(stack_words(self.kernel, task)):
            if word < floor or word % size or word in own:
                continue
            try:
                if self.memory.word(word + shape.rwsem + shape.owner) & ~HAS_WAITERS == task.address:
                    count = self.memory.u32(word + shape.readers) & READERS
                    return self._wait(task, "rw_semaphore", word, 0, True)._replace(reader_count=count)
            except ReadError:
                continue
        return None

    def _reader(self, task: TaskStruct, shape: "_Percpu") -> Wait | None:
        """By the entry on its stack: private is the task, func the lock's own; its ring leads to the lock."""
        words, size = stack_words(self.kernel, task), self.memory.word_size
        ahead = (shape.func - shape.private) // size
        for at, word in enumerate(words[:-ahead]):
            if word == task.address and (name := self.kernel.name_of(words[at + ahead])) and name.symbol == WAKE_READER:
                entry = task.sp + at * size - shape.private + shape.entry
                head = self._head(entry, shape)
                if head is None:
                    return None
                lock = head - shape.head
                return self._wait(task, "percpu_rw_semaphore", lock, self.memory.word(lock + shape.writer), False)
        return None

    def _head(self, entry: int, shape: "_Percpu") -> int | None:
        """Return the head of a ring of entries: the node that is no entry on its task's stack."""
        node, seen = self.memory.word(entry), {entry}
        while node not in seen and len(seen) < MAX_ENTRIES:
            if not self._is_entry(node, shape):
                return node
            seen.add(node)
            node = self.memory.word(node)
        return None

    def _is_entry(self, node: int, shape: "_Percpu") -> bool:
        try:
            task = self.tasks.get(self.memory.word(node - shape.entry + shape.private))
        except ReadError:  # before a lock there need not be anything
            return False
        return task is not None and bool(task.stack) and node in task_stack(self.kernel, task.stack)

    def _writer(self, task: TaskStruct, shape: "_Percpu") -> Wait | None:
        """By the lock's rcuwait, which names it: the lock is among the words of its stack."""
        own, size, floor = task_stack(self.kernel, task.stack), self.memory.word_size, lowest(self.kernel)
        for word in dict.fromkeys(stack_words(self.kernel, task)):
            if word < floor or word % size or word in own:
                continue
            try:
                if self.memory.word(word + shape.writer) == task.address:
                    return self._wait(task, "percpu_rw_semaphore", word, 0, True)
            except ReadError:
                continue
        return None

    def _wait(self, task: TaskStruct, kind: str, lock: int, owner: int, readers: bool) -> Wait:
        holder = self.tasks.get(owner)
        name = self.kernel.name_of(lock)
        return Wait(
            task.pid, decode_comm(task.comm), kind, lock, str(name) if name is not None else None,
            holder.pid if holder else None, decode_comm(holder.comm) if holder else None, readers, task.address,
            holder.address if holder else None, free=not owner and not readers,
        )  # fmt: skip


class _Rt(NamedTuple):
    task: int
    lock: int
    owner: int
    rwsem: int | None = None  # of the rt_mutex in struct rw_semaphore, on PREEMPT_RT
    readers: int = 0


class _Percpu(NamedTuple):
    private: int
    func: int
    entry: int
    head: int
    writer: int


def _rt_shape(kernel: Kernel) -> _Rt | None:
    member = kernel.types.member
    try:
        # 830e6acc8a1c "locking/rtmutex: Split out the inner parts of 'struct rtmutex'", 5.15
        base = "rt_mutex_base" if kernel.types.has("rt_mutex_base") else "rt_mutex"
        # 42254105dfe8 "locking/rwsem: Add rtmutex based R/W semaphore implementation", 5.15, on PREEMPT_RT
        has = kernel.types.has_member("rw_semaphore", "rwbase.rtmutex")
        return _Rt(
            member("rt_mutex_waiter", "task").offset,
            member("rt_mutex_waiter", "lock").offset,
            member(base, "owner").offset,
            member("rw_semaphore", "rwbase.rtmutex").offset if has else None,
            member("rw_semaphore", "rwbase.readers").offset if has else 0,
        )
    except Absent:
        return None


def _percpu_shape(kernel: Kernel) -> _Percpu | None:
    member = kernel.types.member
    try:
        return _Percpu(
            member("wait_queue_entry", "private").offset,
            member("wait_queue_entry", "func").offset,
            member("wait_queue_entry", "entry").offset,
            member("percpu_rw_semaphore", "waiters.head").offset,
            member("percpu_rw_semaphore", "writer.task").offset,
        )
    except Absent:
        return None
