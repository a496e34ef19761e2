"""io_uring: each ring of a process, what was handed in and not taken, what is done and not fetched.

Follows io_uring/{io_uring.c,fdinfo.c}. A ring has a power of two of entries, and its heads and tails are no further
apart than that.
"""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.open_by import opened_as
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan

OPERATIONS = "io_uring_fops"
MAX_RINGS = 10_000
MAX_ENTRIES = 1 << 16  # IORING_MAX_CQ_ENTRIES
# include/uapi/linux/io_uring.h, IORING_SETUP_*
FLAGS = (
    (1, "IOPOLL"), (2, "SQPOLL"), (4, "SQ_AFF"), (1 << 6, "R_DISABLED"), (1 << 8, "COOP_TASKRUN"), (1 << 10, "SQE128"),
    (1 << 11, "CQE32"), (1 << 12, "SINGLE_ISSUER"), (1 << 13, "DEFER_TASKRUN"),
)  # fmt: skip


class Context(NamedTuple):
    """struct io_ring_ctx."""

    rings: int
    flags: int
    taken: int
    submissions: int
    completions: int
    files: int | None
    buffers: int | None
    poller: int


class Rings(NamedTuple):
    """struct io_rings: what program and kernel share; the program may write what it likes."""

    sq_head: int
    sq_tail: int
    cq_head: int
    cq_tail: int
    dropped: int
    overflow: int


class Poller(NamedTuple):
    """struct io_sq_data."""

    thread: int


class PollingThread(NamedTuple):
    """struct task_struct."""

    pid: int


CONTEXT = Plan(
    "io_ring_ctx", Context, taken="cached_sq_head", submissions="sq_entries", completions="cq_entries",
    files=("file_table.data.nr", "nr_user_files"), buffers=("buf_table.nr", "nr_user_bufs"), poller="sq_data",
)  # fmt: skip
RINGS = Plan(
    "io_rings", Rings, sq_head="sq.head", sq_tail="sq.tail", cq_head="cq.head", cq_tail="cq.tail",
    dropped="sq_dropped", overflow="cq_overflow",
)  # fmt: skip
POLLER = Plan("io_sq_data", Poller)
THREAD = Plan("task_struct", PollingThread)


class Ring(NamedTuple):
    """A ring of io_uring, as one process has it open."""

    pid: int
    comm: str
    fd: int
    submissions: int  # entries
    waiting: int | None  # handed in, not taken yet
    completions: int
    unread: int | None  # done, not fetched yet
    overflow: int | None  # completions that found no room
    dropped: int | None  # of what was handed in
    files: int | None  # registered
    buffers: int | None
    flags: tuple[str, ...]
    poller: int | None  # PID of the thread that takes what is handed in
    address: int


def _ring(kernel: Kernel, address: int) -> tuple[Context, Rings | None]:
    context = kernel.bind(CONTEXT).row(address)
    for entries in (context.submissions, context.completions):
        if not 0 < entries <= MAX_ENTRIES or entries & entries - 1:
            raise Implausible(f"what should be a ring has {entries} entries", address)
    try:
        rings = kernel.bind(RINGS).row(context.rings) if context.rings else None
    except OopscopeError as e:  # pages that programs share may be left out of a dump
        kernel.problems.lost("urings", "the heads and tails of a ring")(e)
        rings = None
    return context, rings


def _poller(kernel: Kernel, context: Context) -> int | None:
    thread = kernel.bind(POLLER).row(context.poller).thread if context.poller else 0
    return kernel.bind(THREAD).row(thread).pid if thread else None


def _apart(tail: int, head: int) -> int:
    return (tail - head) & 0xFFFFFFFF


@once
def rings(kernel: Kernel) -> list[Ring]:
    """Return the rings of all processes; none for a kernel without io_uring."""
    if kernel.find_symbol(OPERATIONS) is None:
        return []
    lost, found, tasks = kernel.problems.lost("urings", "a ring"), list[Ring](), kernel.cached(task_structs)
    for address, opened in opened_as(kernel, OPERATIONS, "urings")[:MAX_RINGS]:
        try:
            context, shared = _ring(kernel, address)
            poller = _poller(kernel, context)
        except OopscopeError as e:
            lost(e)
            continue
        words = tuple(word for bit, word in FLAGS if context.flags & bit)
        for one in opened:
            task = tasks[one.task]
            found.append(Ring(
                task.pid, decoded(task.comm), one.fd, context.submissions,
                _apart(shared.sq_tail, context.taken) if shared else None, context.completions,
                _apart(shared.cq_tail, shared.cq_head) if shared else None, shared.overflow if shared else None,
                shared.dropped if shared else None, context.files, context.buffers, words, poller, address,
            ))  # fmt: skip
    return sorted(found, key=lambda one: (one.pid, one.fd))
