"""The table `workqueues`: workqueues and how much work each has."""

from oopscope.linux.workqueue import workqueues
from oopscope.subsystems import Column, Table

TABLE = Table(
    "workqueues",
    "Workqueues",
    (
        Column("name", "Workqueue", help="Its name; events is the kernel's own for all."),
        Column("active", "Active", "int", "Works that are being done, or wait for a worker."),
        Column("inactive", "Inactive", "int", "Works that wait until so many others are done (max_active)."),
        Column("max_active", "At most", "int", "How many of it may be active on a CPU."),
        Column("flags", "Flags", help="unbound: on any CPU; high priority; ordered: one at a time; mem reclaim."),
        Column("rescuer", "Rescuer", "int", "The thread that does its work where memory is short.", "task"),
        Column("address", "Address", "address", "Its struct workqueue_struct.", "struct workqueue_struct", False),
    ),
    workqueues,
    "cpus",
    ("name", "address"),
    asked=True,
    told_in="works",
)
