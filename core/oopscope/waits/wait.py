"""One wait for a lock, and how waits follow each other: plain data.

An address is no identity: an owner whose task_struct is no living task's has ended, and one that names the waiter
itself is a circle only where nothing else can be meant.
"""

from typing import NamedTuple


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
    ended: bool = False  # the lock's owner is recorded, and is no living task
    reader_count: int | None = None  # how many readers hold it, where the lock counts them
    free: bool = False  # the lock's own word says that nobody has it

    @property
    def holder(self) -> int | None:
        """The task that is known to hold the lock: the owner, or of readers the only one.

        An owner that is the waiter itself is none: a task that ended may have left the lock and its memory behind.
        """
        if self.owner == self.task or (self.readers and self.reader_count != 1):
            return None
        return self.owner


def chain(waits: dict[int, Wait], task: int) -> tuple[list[Wait], bool]:
    """Follow a task to the lock it waits for, to its owner, and on; return the waits, and whether they close a circle.

    `waits` is by the task's address. A lock that several readers hold has no one owner, so there the chain ends.
    """
    found: list[Wait] = []
    seen: set[int] = set()
    while task in waits and task not in seen:
        seen.add(task)
        found.append(waits[task])
        owner = waits[task].holder
        if owner is None:
            return found, False
        task = owner
    if task not in seen:
        return found, False
    first = next(at for at, wait in enumerate(found) if wait.task == task)
    return found[first:], True


def circles(waits: dict[int, Wait]) -> list[list[Wait]]:
    """Return every circle once, each beginning with the task of the lowest PID."""
    found: dict[frozenset[int], list[Wait]] = {}
    done: set[int] = set()
    for task in waits:
        if task in done:
            continue
        ring, closed = chain(waits, task)
        done |= {wait.task for wait in ring}
        key = frozenset(wait.task for wait in ring)
        if closed and key not in found:
            first = min(range(len(ring)), key=lambda at: ring[at].pid)
            found[key] = ring[first:] + ring[:first]
    return list(found.values())
