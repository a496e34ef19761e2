"""The table `urings`: the rings of io_uring."""

from oopscope.linux.io_uring import rings
from oopscope.subsystems import COMM, PID, Column, Table

TABLE = Table(
    "urings",
    "io_uring",
    (
        PID,
        COMM,
        Column("fd", "fd", "int", "The descriptor of the ring."),
        Column("waiting", "Not taken", "int", "Requests that the program handed in and the kernel did not take yet."),
        Column("submissions", "Of", "int", "How many can be handed in at once.", brief=False),
        Column("unread", "Unread", "int", "Completions that the program did not fetch yet."),
        Column("completions", "Room", "int", "How many completions the ring has room for.", brief=False),
        Column("overflow", "Overflow", "int", "Completions that found no room."),
        Column("dropped", "Dropped", "int", "Requests that made no sense.", brief=False),
        Column("files", "Files", "int", "Files that are registered.", brief=False),
        Column("buffers", "Buffers", "int", "Buffers that are registered.", brief=False),
        Column("flags", "Set up", "list", "SQPOLL: a kernel thread takes the requests; IOPOLL: no interrupts."),
        Column("poller", "Thread", "int", "The PID of that thread.", "task"),
        Column("address", "Address", "address", "Its struct io_ring_ctx.", brief=False),
    ),
    rings,
    "io",
    ("pid", "fd"),
    asked=True,
    when_opened=True,
)
