"""The table `works`: pieces of work that workqueues have been given and that are not done."""

from oopscope.linux.workqueue import works
from oopscope.subsystems import CPU, Column, Table

TABLE = Table(
    "works",
    "Work",
    (
        Column(
            "state",
            "State",
            help="running; next: taken by a worker that does another first; pending: waits for a worker; inactive: "
            "waits until others of its workqueue are done.",
        ),
        Column("function", "Function", help="What is to be done."),
        Column("workqueue", "Workqueue", help="The workqueue that was given it."),
        CPU._replace(help="The CPU that it is to be done on; none: any."),
        Column("pid", "PID", "int", "The worker that has it.", "task"),
        Column(
            "seconds",
            "For",
            "seconds",
            "Of running work how long (7.0 and later); of pending work since its pool last began any.",
        ),
        Column("pool", "Pool", "int", "The pool of workers.", brief=False),
        Column("address", "work_struct", "address", "Its struct work_struct.", "struct work_struct", False),
    ),
    works,
    "cpus",
    ("state", "address", "pid"),
    most=40,
)
