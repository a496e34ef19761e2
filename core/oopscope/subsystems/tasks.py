"""The table `tasks`: every thread as ps(1) shows it."""

from oopscope.linux.task import threads
from oopscope.stacks.tasks import all_tasks
from oopscope.subsystems import COMM, PID, Column, Offer, Table

TABLE = Table(
    "tasks",
    "Tasks",
    (
        PID,
        Column(
            "tgid",
            "TGID",
            "int",
            "The thread group: the PID of the process to which the thread belongs.",
            "task",
            False,
        ),
        Column(
            "ppid", "PPID", "int", "The parent process's PID. 2 (kthreadd) is the parent of kernel threads.", "task"
        ),
        COMM,
        Column(
            "state",
            "State",
            "state",
            "R running or runnable, S sleeping, D blocked, I idle kernel thread, Z zombie, T stopped, t traced, P "
            "parked.",
            look="e on a task explains its state.",
            topic="state",
        ),
        Column("cpu", "CPU", "int", "The CPU on which it ran last, or runs.", "cpu"),
        Column("address", "Task", "address", "Its task_struct.", "struct task_struct", False),
        Column(
            "kernel_thread", "Kernel", "bool", "A thread of the kernel itself: it has no memory of its own.", "", False
        ),
        Column(
            "rss_bytes",
            "RSS",
            "bytes",
            "Resident memory: pages of the process that are in RAM, shared ones counted in full. The threads of one "
            "process share it.",
        ),
        Column(
            "vsz_bytes",
            "Virtual",
            "bytes",
            "Virtual size: all that is mapped, whether it is in RAM or not. Large numbers mean little.",
            brief=False,
        ),
        Column("uid", "UID", "int", "The user that it ran as (real UID, first user namespace).", brief=False),
        Column(
            "since_last_run_seconds",
            "Last ran",
            "seconds",
            "How long before the crash it was last on a CPU. For a blocked task that is how long it has waited.",
        ),
        Column(
            "wait",
            "Waits in",
            "symbol",
            "The first function of its stack that is neither scheduling nor plain waiting: what it waits in.",
        ),
    ),
    all_tasks,
    "tasks",
    ("pid", "cpu"),
    of=threads,
    thing="task",
    # the CPUs' idle tasks, all of PID 0, are found by their CPU
    offer=Offer(lambda task: f"{task.pid} {task.comm or ''}" if task.pid else "", "", ("state", "cpu")),
    commands=("bt {pid}", "files {pid}", "vm {pid}", "task {pid}", "sig {pid}", "struct task_struct {address:x}"),
)
