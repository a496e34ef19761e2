"""The table `epolls`: which files each epoll instance watches."""

from oopscope.linux.event_poll import epolls
from oopscope.subsystems import COMM, PID, Column, Table

TABLE = Table(
    "epolls",
    "epoll",
    (
        PID,
        COMM,
        Column("fd", "fd", "int", "The descriptor of the epoll instance."),
        Column("watched", "Watches", "int", "The descriptor of the file that it watches, when it was added."),
        Column("path", "File", help="That file."),
        Column("events", "For", "list", "What it is watched for; ONESHOT: once; ET: only when something is new."),
        Column("ready", "Ready", "bool", "Whether it has something to tell that nobody fetched yet."),
        Column("waiting", "Asleep", "int", "Threads that sleep in epoll_wait() on the instance."),
        Column("data", "Data", "address", "What the program is told with an event.", brief=False),
        Column("address", "Address", "address", "Its struct epitem.", brief=False),
    ),
    epolls,
    "waits",
    ("pid", "fd", "watched", "address"),
    asked=True,
    when_opened=True,
)
