"""Locks of files: flock(2), fcntl(2) and leases. Follows fs/locks.c.

A waiter's entry leads to the fl_wait of its own request, and that names the lock that blocks it. Of flock,
leases and open file description locks it is an open file's: who has that open holds it. Of fcntl it is a process's, by
its table of open files.
"""

from collections.abc import Iterator

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.open_by import opened_by
from oopscope.linux.task import task_structs
from oopscope.waits.graph import Claim, Node
from oopscope.waits.locks import unlocked
from oopscope.waits.nodes import inode_name, task_node
from oopscope.waits.offsets import offset, offsets
from oopscope.waits.sleepers import Sleeper, heads_of, within

ASLEEP = (
    "flock_lock_inode",
    "posix_lock_inode",
    "locks_lock_inode",
    "fcntl_setlk",
    "do_lock_file_wait",
    "__break_lease",
)
FL_POSIX, FL_OFDLCK = 1, 1024


def edges(kernel: Kernel) -> Iterator[Claim]:
    """Yield who waits for a lock of a file."""
    for one in unlocked(kernel):
        if one.places and one.entries and within(one.functions, ASLEEP):
            try:
                for head in heads_of(one):
                    yield from _of(kernel, one, head)
            except OopscopeError as error:
                kernel.problems.lost("waits", f"the lock of a file that {one.pid} waits for")(error)


def _of(kernel: Kernel, one: Sleeper, head: int) -> Iterator[Claim]:
    # file_lock_core came with 4ca52f539865 "filelock: have fs/locks.c deal with file_lock_core directly", 6.9
    new = ("flc_wait.head", "flc_blocker", "flc_owner", "flc_file", "flc_flags")
    old = ("fl_wait.head", "fl_blocker", "fl_owner", "fl_file", "fl_flags")
    shape = offsets(kernel, "file_lock_core", *new) or offsets(kernel, "file_lock", *old)
    inode_at = offset(kernel, "file", "f_inode")
    if shape is None or inode_at is None:
        return
    memory = kernel.memory
    blocker = memory.word(head - shape[0] + shape[1])
    if not blocker:
        return
    file, flags = memory.word(blocker + shape[3]), memory.u32(blocker + shape[4])
    name = inode_name(kernel, memory.word(file + inode_at))
    if name is None:
        return
    holders, text = _holders(kernel, flags, file, memory.word(blocker + shape[2]))
    note = "" if holders else "its owner is no process of this machine"
    node = Node(f"filelock:{blocker:#x}", "file lock", f"of {name}", blocker, None, note, True)
    why = "a wait queue entry leads to its own request, which names the lock that blocks it"
    yield Claim(task_node(kernel, one.address), node, "waits_for", "linked", one.since, why)
    for task in holders:
        yield Claim(node, task_node(kernel, task), "held_by", "recorded", None, text)


def _holders(kernel: Kernel, flags: int, file: int, owner: int) -> tuple[list[int], str]:
    """Return who holds a lock; nobody where its owner is no process here: of a lock server's client the PID is none."""
    if not flags & FL_POSIX or flags & FL_OFDLCK:
        return list(dict.fromkeys(opened_by(kernel).having.get(file, []))), "it has the file open that the lock is of"
    leaders = [task for task in kernel.cached(task_structs).values() if task.pid == task.tgid and not task.exit_state]
    return [task.address for task in leaders if owner and task.files == owner], "the lock's owner is its open files"
