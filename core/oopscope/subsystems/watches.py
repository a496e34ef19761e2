"""The table `watches`: what processes watch in file systems by inotify and fanotify."""

from oopscope.linux.fsnotify import watches
from oopscope.subsystems import COMM, PID, Column, Table

TABLE = Table(
    "watches",
    "File watches",
    (
        PID,
        COMM,
        Column("fd", "fd", "int", "The descriptor of the group."),
        Column("kind", "By", help="inotify; fanotify, which can also ask whether an access is allowed."),
        Column("object", "What", help="An inode, a mount or a whole file system."),
        Column("path", "Path", help="Where that is, by one of its names."),
        Column("events", "For", "list", "What is reported; those that end with PERM hold the access up."),
        Column("queued", "Unread", "int", "Events of the group that nobody read yet."),
        Column("most", "At most", "int", "How many may wait; what comes then is lost, and said.", brief=False),
        Column("held_up", "Held up", "int", "Tasks that wait for the group to allow what they do.", brief=False),
        Column("inode", "Inode", "int", "Its number in its file system.", brief=False),
        Column("watch", "wd", "int", "inotify's number of the watch.", brief=False),
        Column("address", "Address", "address", "Its struct fsnotify_mark.", brief=False),
    ),
    watches,
    "waits",
    ("pid", "fd", "address"),
    asked=True,
    when_opened=True,
)
