"""The table `tasks`: every thread as ps(1) shows it."""

from oopscope.stacks.tasks import all_tasks
from oopscope.subsystems import Column, Table

TABLE = Table(
    "tasks",
    "Tasks",
    (
        Column("pid", "PID", "int"),
        Column("tgid", "TGID", "int"),
        Column("ppid", "PPID", "int"),
        Column("comm", "Command"),
        Column("state", "State", "state"),
        Column("cpu", "CPU", "int"),
        Column("address", "Task", "address"),
        Column("kernel_thread", "Kernel", "bool"),
        Column("rss_bytes", "RSS", "bytes"),
        Column("vsz_bytes", "Virtual", "bytes"),
        Column("uid", "UID", "int"),
        Column("since_last_run_seconds", "Last ran", "seconds"),
        Column("wait", "Waits in", "symbol"),
    ),
    all_tasks,
)
