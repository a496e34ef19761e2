"""The table `pools`: pools of workers."""

from oopscope.linux.workqueue import pools
from oopscope.subsystems import CPU, Column, Table

TABLE = Table(
    "pools",
    "Worker pools",
    (
        Column("id", "Pool", "int", "Its number."),
        CPU._replace(help="The CPU that its workers run on; none: any."),
        Column("nice", "Nice", "int", "Its workers' nice level: -20 for high priority."),
        Column("workers", "Workers", "int", "How many it has."),
        Column("idle", "Idle", "int", "How many of them have nothing to do."),
        Column("running", "Running", "int", "Workers that keep the CPU; new work is begun only when there are none."),
        Column("pending", "Pending", "int", "Works that wait for a worker."),
        Column(
            "stalled_seconds",
            "Stalled",
            "seconds",
            "How long ago it last began work, where some waits. More than 30 s the kernel calls a lockup.",
        ),
        Column("address", "Address", "address", "Its struct worker_pool.", "struct worker_pool", False),
    ),
    pools,
    "cpus",
    asked=True,
    told_in="works",
)
