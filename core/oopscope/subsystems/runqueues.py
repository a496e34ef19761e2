"""The table `runqueues`: what each CPU runs, and what waits for it."""

from oopscope.linux.runqueue import counted, queued
from oopscope.subsystems import COMM, CPU, PID, Column, Table

TABLE = Table(
    "runqueues",
    "Run queues",
    (
        CPU,
        Column("current", "Current", "bool", "Whether the CPU runs it; the others wait."),
        Column(
            "class",
            "Class",
            help="Its scheduling class, in the order in which the CPU serves them: stop, deadline, RT, ext (a BPF "
            "scheduler), fair, idle.",
        ),
        PID,
        COMM,
        Column(
            "state",
            "State",
            help="current; waiting; throttled: its cgroup has used up its time (cpu.max); delayed: it sleeps and has "
            "not left the queue yet, as it had more than its share (6.12 and later).",
        ),
        Column(
            "waiting_seconds", "Waiting", "seconds", "How long it has waited, by the clock of that CPU's run queue."
        ),
        Column(
            "priority",
            "Priority",
            "int",
            "The kernel's own: -1 deadline, 0 to 99 real-time (99 less the number that a program asked for), 100 to "
            "139 fair (120 is nice 0).",
        ),
        Column("vruntime", "Virtual time", "int", "Of the fair class: the time it has had, weighted; least first."),
        Column(
            "deadline",
            "Deadline",
            "int",
            "Of the deadline class by the run queue's clock, of the fair class (6.6 and later) in virtual time.",
        ),
        Column("task", "Task", "address", "Its task_struct.", "struct task_struct", False),
    ),
    queued,
    "cpus",
    ("cpu", "task"),
    of=counted,
    commands=("bt {pid}", "runq -m", "cpu {cpu}"),
)
