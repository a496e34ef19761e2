"""The table `meminfo`: the counters of /proc/meminfo."""

from oopscope.linux.meminfo import all_counters
from oopscope.subsystems import Column, Table

TABLE = Table("meminfo", "Memory", (Column("name", "Counter"), Column("bytes", "Size", "bytes")), all_counters)
