"""The table `filelocks`: locks of files, who holds each and who waits for it."""

from oopscope.linux.file_lock import file_locks
from oopscope.subsystems import COMM, Column, Table

TABLE = Table(
    "filelocks",
    "File locks",
    (
        Column("kind", "Kind", help="POSIX (fcntl), OFDLCK (of an open file), FLOCK, LEASE, DELEG (of an NFS server)."),
        Column("access", "For", help="READ: shared; WRITE: exclusive; UNLCK: a lease that is given up."),
        Column("state", "State", help="held; waits: for the lock above it; breaking: a lease that another wants."),
        Column("pid", "PID", "int", "The process that asked for it; none has an open file's own lock.", "task"),
        COMM,
        Column("path", "File", help="The file, where its path can be read."),
        Column("start", "From", "int", "The first byte that it is for.", brief=False),
        Column("end", "To", "int", "The last byte; nothing where it reaches to the end.", brief=False),
        Column("inode", "Inode", "int", "The file's number in its file system.", brief=False),
        Column("waits_for", "Blocked by", "address", "The lock that is in the way.", brief=False),
        Column("address", "Address", "address", "Its struct file_lock.", brief=False),
    ),
    file_locks,
    "waits",
    ("address",),
    asked=True,
    when_opened=True,
)
