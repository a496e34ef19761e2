"""The table `cgroups`: control groups with what they use against their limits."""

from oopscope.linux.cgroup import cgroups
from oopscope.subsystems import Column, Table

TABLE = Table(
    "cgroups",
    "Control groups",
    (
        Column("path", "Group", help="Its path below the hierarchy's root."),
        Column("processes", "Processes", "int", "Processes in it, without those of groups below it (v2 only)."),
        Column("memory", "Memory", "bytes", "What it and those below it use (memory.current)."),
        Column("memory_max", "Limit", "bytes", "Beyond this it is reclaimed, then OOM kills (memory.max)."),
        Column("memory_share", "%", help="Memory against its limit, in percent."),
        Column("pids", "PIDs", "int", "Threads in it and below (pids.current)."),
        Column("pids_max", "PID limit", "int", "At this fork(2) fails (pids.max)."),
        Column("oom_kills", "OOM kills", "int", "How often a process of it was killed for want of memory."),
        Column("state", "State", help="live, frozen; dying: removed, and still held by what it used."),
        Column("memory_high", "High", "bytes", "Beyond this it is slowed (memory.high).", brief=False),
        Column("swap", "Swap", "bytes", "Swap that it uses (memory.swap.current; v1: memory and swap).", brief=False),
        Column("swap_max", "Swap limit", "bytes", "The most of it (memory.swap.max).", brief=False),
        Column("hierarchy", "Hierarchy", help="unified (v2), or the controllers of a hierarchy of v1.", brief=False),
        Column("address", "cgroup", "address", "Its struct cgroup.", "struct cgroup", False),
    ),
    cgroups,
    "memory",
    ("hierarchy", "path", "address"),
    most=40,
)
