"""The table `locks`: who waits for which sleeping lock, and who holds it."""

from oopscope.subsystems import Column, Table
from oopscope.waits.locks import all_locks

TABLE = Table(
    "locks",
    "Locks",
    (
        Column("lock", "Lock", "address"),
        Column("kind", "Kind"),
        Column("name", "Name", "symbol"),
        Column("pid", "Waits", "int"),
        Column("comm", "Command"),
        Column("owner_pid", "Held by", "int"),
        Column("owner_comm", "Holder"),
        Column("readers", "Readers", "bool"),
    ),
    all_locks,
)
