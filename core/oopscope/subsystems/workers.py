"""The table `workers`: kworkers and what each does."""

from oopscope.linux.workqueue import workers
from oopscope.subsystems import COMM, CPU, PID, Column, Table

TABLE = Table(
    "workers",
    "Workers",
    (
        PID,
        COMM,
        Column("state", "State", help="busy, idle; rescuer: a workqueue's own, for when memory is short."),
        CPU._replace(help="The CPU of its pool; none: any."),
        Column("function", "Function", help="What it does now."),
        Column("workqueue", "Workqueue", help="For which workqueue."),
        Column("running_seconds", "For", "seconds", "Since it began that; kept by the kernel from 7.0 on."),
        Column("asleep_seconds", "Asleep", "seconds", "How long it has not run, while at it: at least as long."),
        Column("next", "Next", "int", "Works that it has taken, to be done after this one.", brief=False),
        Column("pool", "Pool", "int", "The pool that it is in.", brief=False),
        Column("work", "Work", "address", "The struct work_struct of it.", "struct work_struct", False),
        Column("address", "Worker", "address", "Its struct worker.", "struct worker", False),
    ),
    workers,
    "cpus",
    ("address",),
    asked=True,
    told_in="works",
)
