"""The table `meminfo`: the counters of /proc/meminfo."""

from oopscope.linux.meminfo import all_counters
from oopscope.subsystems import Column, Table

TABLE = Table(
    "meminfo",
    "Meminfo",
    (
        Column("name", "Counter", help="A line of /proc/meminfo.", look="e on a line explains it.", topic="memory"),
        Column("bytes", "Size", "bytes", "Its size, as /proc/meminfo would have shown it."),
    ),
    all_counters,
    "memory",
    walked=False,  # some lines of /proc/meminfo are not worked out
)
