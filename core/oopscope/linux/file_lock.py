"""Locks of files, as /proc/locks has them: POSIX, OFD and flock locks, leases; who holds one, and who waits for it.

Follows fs/locks.c and include/linux/filelock.h. Each CPU keeps a list of those that are held; who waits hangs on the
lock that blocks it. A lock is of exactly one kind, and its file's inode has locks.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_hlist, for_each_list
from oopscope.linux.open_by import files_of_first, path_seen
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan

MAX_LOCKS = 100_000
MAX_DEPTH = 64
KINDS = {1: "POSIX", 2: "FLOCK", 4: "DELEG", 32: "LEASE", 1024: "OFDLCK", 2048: "LAYOUT"}
KIND_BITS = sum(KINDS)
TYPES = {0: "READ", 1: "WRITE", 2: "UNLCK"}
UNLOCK_PENDING, DOWNGRADE_PENDING = 512, 256
LEASES = 4 | 32
OFFSET_MAX = (1 << 63) - 1


class LockStruct(NamedTuple):
    """struct file_lock, or what it and struct file_lease begin with."""

    address: int
    link: int
    waiters: int
    waiter: int
    flags: int
    type: int
    pid: int
    file: int


class Range(NamedTuple):
    """struct file_lock: the bytes that it is for."""

    start: int
    end: int


class LockedFile(NamedTuple):
    """struct file."""

    inode: int


class LockedInode(NamedTuple):
    """struct inode."""

    number: int
    context: int


# What locks and leases have in common is a struct of its own since 6.9.
LOCK = Plan(
    ("file_lock_core", "file_lock"), LockStruct, link=("&flc_link", "&fl_link"),
    waiters=("&flc_blocked_requests", "&fl_blocked_requests"),
    waiter=("&flc_blocked_member", "&fl_blocked_member"), flags=("flc_flags", "fl_flags"), type=("flc_type", "fl_type"),
    pid=("flc_pid", "fl_pid"), file=("flc_file", "fl_file"),
)  # fmt: skip
RANGE = Plan("file_lock", Range, start="fl_start", end="fl_end")
FILE = Plan("file", LockedFile, inode="f_inode")
INODE = Plan("inode", LockedInode, number="i_ino", context="i_flctx")


class FileLock(NamedTuple):
    """A lock of a file, or somebody who waits for one."""

    kind: str
    access: str
    pid: int | None  # None where it is of no process: an OFD lock
    comm: str | None
    waits_for: int | None  # the struct that blocks it
    path: str | None
    inode: int | None
    start: int | None  # of a lease none
    end: int | None  # the last byte; None for the end of the file
    state: str
    address: int


class _Locks:
    """The locks of one kernel as they are read."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.lost = kernel, kernel.problems.lost("filelocks", "a lock")
        self.bound, self.range = kernel.bind(LOCK), kernel.bind(RANGE)
        self.files = files_of_first(kernel)
        self.names = {task.pid: task.comm for task in kernel.cached(task_structs).values()}
        self.seen = set[int]()

    def held(self) -> Iterator[int]:
        """Yield the locks in the CPUs' lists."""
        head = self.kernel.types.member("file_lock_list_struct", "hlist").offset
        symbol, link = self.kernel.symbol("file_lock_list"), self.bound.offset("link")
        for cpu in range(len(self.kernel.cached(per_cpu_offsets))):
            at = self.kernel.per_cpu(symbol, cpu) + head
            yield from for_each_hlist(self.kernel.memory, at, link, self.lost)

    def rows(self, address: int, blocker: int | None = None, depth: int = 0) -> Iterator[FileLock]:
        """Yield a lock and all who wait for it."""
        if address in self.seen or len(self.seen) >= MAX_LOCKS or depth > MAX_DEPTH:
            raise Implausible("a lock of a file that is in two places, or one too many", address)
        self.seen.add(address)
        lock = self.bound.row(address)
        yield self._row(lock, blocker)
        link = self.bound.offset("waiter")
        for waiter in for_each_list(self.kernel.memory, lock.waiters, link, self.lost, MAX_LOCKS):
            yield from self.rows(waiter, address, depth + 1)

    def _row(self, lock: LockStruct, blocker: int | None) -> FileLock:
        bits = lock.flags & KIND_BITS & ~(1 if lock.flags & 1024 else 0)  # an OFD lock is a POSIX one besides
        if bits not in KINDS or lock.type not in TYPES:
            raise Implausible(f"what should be a lock of a file has the flags {lock.flags:#x}", lock.address)
        inode = self.kernel.bind(INODE).row(self.kernel.bind(FILE).row(lock.file).inode)
        if blocker is None and not inode.context:
            raise Implausible("what should be a lock of a file is of one without locks", lock.address)
        lease = bits & LEASES
        span = None if lease else self.range.row(lock.address)
        pid = lock.pid if 0 < lock.pid < 1 << 22 and bits != 1024 else None
        comm = self.names.get(pid) if pid is not None else None
        pending = lock.flags & (UNLOCK_PENDING | DOWNGRADE_PENDING)
        state = "waits" if blocker is not None else ("breaking" if pending else "held") if lease else "held"
        return FileLock(
            KINDS[bits], TYPES[lock.type], pid, decoded(comm) if comm else None, blocker,
            path_seen(self.files, lock.file), inode.number, span.start if span else None,
            span.end if span and span.end != OFFSET_MAX else None, state, lock.address,
        )  # fmt: skip


@once
def file_locks(kernel: Kernel) -> list[FileLock]:
    """Return the locks that are held, each followed by who waits for it; what fails its checks is dropped, and said."""
    reader, found = _Locks(kernel), list[FileLock]()
    for address in reader.held():
        try:
            found += reader.rows(address)
        except OopscopeError as e:
            reader.lost(e)
    return found
