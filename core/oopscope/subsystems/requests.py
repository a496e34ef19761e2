"""The table `requests`: I/O in flight, and who waits for it."""

from oopscope.linux.block import requests
from oopscope.subsystems import COMM, Column, Table

TABLE = Table(
    "requests",
    "Requests",
    (
        Column("disk", "Disk", help="The disk that was asked."),
        Column("age_seconds", "Age", "seconds", "How long ago the driver was given it."),
        Column("operation", "Operation", help="read, write, flush, discard and the like."),
        Column("sector", "Sector", "int", "Where it begins, in sectors of 512 bytes."),
        Column("bytes", "Size", "bytes", "How much is still to be done."),
        Column("tag", "Tag", "int", "Its number among those that the hardware queue can have in flight."),
        Column("state", "State", help="in flight; complete: answered, and being ended."),
        Column("queue", "Queue", "int", "The hardware queue."),
        Column("pid", "PID", "int", "The task that waits for it, where the request's bio leads to one.", "task"),
        COMM,
        Column("cgroup", "Group", help="The control group that it is charged to.", brief=False),
        Column("address", "request", "address", "Its struct request.", "struct request", False),
    ),
    requests,
    "io",
    ("disk", "address"),
    thing="request",
)
