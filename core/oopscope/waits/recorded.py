"""The lock that a task waits for by its own record, where the kernel keeps one: a check on what its stack tells.

task_struct.blocked_on names a mutex ("locking/mutex: Add p->blocked_on wrappers for correctness checks", 6.17; before,
with CONFIG_DEBUG_MUTEXES alone, a waiter on the task's own stack, which is no lock), and task_struct.blocker a lock
with its kind in the low bits (e711faaafbe5 "hung_task: replace blocker_mutex with encoded blocker", 6.16), of those
that wait uninterruptibly.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.waits.offsets import lowest, offset
from oopscope.waits.wait import Wait

TYPES = ("mutex", "semaphore", "rw_semaphore", "rw_semaphore")  # BLOCKER_TYPE_MUTEX, _SEM, _RWSEM_READER, _RWSEM_WRITER


class Said(NamedTuple):
    """What a task's own record names."""

    kind: str
    lock: int
    member: str


def said(kernel: Kernel, task: int) -> Said | None:
    """Return the lock that a task's record names; None where it names none, or the kernel keeps none."""
    for member in ("blocked_on", "blocker"):
        at = offset(kernel, "task_struct", member) if member != "blocked_on" or _names_a_lock(kernel) else None
        try:
            word = kernel.memory.word(task + at) if at is not None else 0
        except OopscopeError:
            continue
        kind, lock = (TYPES[word & 3], word & ~3) if member == "blocker" else ("mutex", word)
        if lock >= lowest(kernel) and not lock % kernel.memory.word_size:
            return Said(kind, lock, f"task_struct.{member}")
    return None


@once
def _names_a_lock(kernel: Kernel) -> bool:
    """Whether blocked_on is a struct mutex *, not a struct mutex_waiter *."""
    if offset(kernel, "task_struct", "blocked_on") is None:
        return False
    return kernel.types.btf.type_name(kernel.types.member("task_struct", "blocked_on").type) == "struct mutex *"


def checked(kernel: Kernel, wait: Wait) -> str:
    """Return what a task's record says of its wait, to be added to the evidence; nothing where it has none.

    That it names another lock is a problem as well: one of the two was read wrongly, or in between.
    """
    one = said(kernel, wait.task)
    if one is None:
        return ""
    if (one.kind, one.lock) == (wait.kind, wait.lock):
        return f"; {one.member} names it too"
    if wait.kind not in TYPES:
        return ""
    text = f"{wait.pid} waits for the {wait.kind} {wait.lock:#x} by its stack, but {one.member} names {one.lock:#x}"
    kernel.problems.add("waits", text, wait.task)
    return f"; but {one.member} names the {one.kind} {one.lock:#x}"
