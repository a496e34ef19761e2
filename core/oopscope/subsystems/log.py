"""The table `log`: the kernel log."""

from oopscope.linux.printk import log
from oopscope.subsystems import Column, Table

TABLE = Table(
    "log",
    "Log",
    (
        Column("ns", "Time", "int"),
        Column("level", "Level", "int"),
        Column("facility", "Facility", "int"),
        Column("caller", "Caller"),
        Column("text", "Text"),
    ),
    log,
)
