"""The table `timers`: timers that are set."""

from oopscope.linux.timer import timers
from oopscope.subsystems import CPU, Column, Table

TABLE = Table(
    "timers",
    "Timers",
    (
        Column("due_seconds", "Due in", "seconds", "When it goes off; less than 0: overdue."),
        CPU,
        Column("kind", "Kind", help="timer: of the wheel, to a tick; else the clock of one of high resolution."),
        Column("function", "Function", help="What it calls."),
        Column("owner", "Owner", help="The delayed work's function, or the task that sleeps, where that can be told."),
        Column("pid", "PID", "int", "That task.", "task"),
        Column("flags", "Flags", help="deferrable: an idle CPU need not wake for it; pinned: to this CPU; soft."),
        Column("expires", "Expires", "int", "In jiffies, or in nanoseconds of its clock.", brief=False),
        Column("address", "Address", "address", "Its struct timer_list or struct hrtimer.", brief=False),
    ),
    timers,
    "cpus",
    ("address",),
    asked=True,
)
