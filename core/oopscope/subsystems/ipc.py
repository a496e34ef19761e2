"""The table `ipc`: shared memory, semaphores and message queues."""

from oopscope.linux.ipc import counted, ipc_objects
from oopscope.subsystems import Column, Table

TABLE = Table(
    "ipc",
    "IPC",
    (
        Column("kind", "Kind", help="shared memory, semaphores, messages (System V); POSIX messages."),
        Column("id", "ID", "int", "Its number, as ipcs(1) has it."),
        Column("key", "Key", help="The key by which programs find it, 0x0 for none; a POSIX queue's name."),
        Column("uid", "User", "int", "Who owns it.", brief=False),
        Column("perms", "Access", help="Who may read and write it, octal.", brief=False),
        Column("bytes", "Size", "bytes", "Of a segment; of the messages that wait in a queue."),
        Column("entries", "Count", "int", "How often a segment is attached; how many semaphores, messages."),
        Column("waiting", "Waiting", "int", "Tasks that wait for it: to send, to receive, for a semaphore."),
        Column("pid", "PID", "int", "Who made a segment; who sent last, or changed the first semaphore.", "task"),
        Column("state", "State", help="full: who sends waits; removed: it lives until its last user lets go of it."),
        Column("namespace", "Namespace", "int", "The number of its IPC namespace.", brief=False),
        Column("address", "Address", "address", "Its struct kern_ipc_perm or mqueue_inode_info.", brief=False),
    ),
    ipc_objects,
    "system",
    ("address",),
    asked=True,
    when_opened=True,
    of=counted,
)
