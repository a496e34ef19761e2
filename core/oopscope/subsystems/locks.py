"""The table `locks`: who waits for which sleeping lock, and who holds it."""

from oopscope.subsystems import Column, Table
from oopscope.waits.locks import all_locks

TABLE = Table(
    "locks",
    "Locks",
    (
        Column("lock", "Lock", "address", "The lock's address."),
        Column(
            "kind",
            "Kind",
            help="mutex: one holder. rw_semaphore: many readers or one writer. semaphore: a count.",
        ),
        Column("name", "Name", "symbol", "The symbol or object that the lock is part of, where it is known."),
        Column("pid", "Waits", "int", "The task that waits for it.", "task"),
        Column("comm", "Command", help="The name of the task that waits."),
        Column(
            "owner_pid",
            "Held by",
            "int",
            "The task that holds it, as the lock's owner field says. A semaphore has none; of an rw_semaphore held "
            "by readers it is only the last that came.",
            "task",
        ),
        Column("owner_comm", "Holder", help="The name of the holder."),
        Column("readers", "Readers", "bool", "Held by readers: the owner is a hint, there may be others."),
    ),
    all_locks,
    "waits",
    ("lock", "pid"),
    walked=False,  # only what blocked tasks' stacks lead to
    thing="lock",
    commands=("task {pid}", "bt {pid}", "struct mutex {lock:x}"),
)
