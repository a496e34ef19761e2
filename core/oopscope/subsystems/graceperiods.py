"""The table `graceperiods`: RCU's grace period, and who holds it up."""

from oopscope.linux.rcu import grace_periods
from oopscope.subsystems import Column, Table

TABLE = Table(
    "graceperiods",
    "RCU",
    (
        Column("name", "RCU", help="rcu_preempt, or rcu_sched where readers cannot be preempted."),
        Column("running", "Running", "bool", "Whether a grace period runs."),
        Column("age_seconds", "Age", "seconds", "How long it has; beyond 21 s the kernel calls it a stall."),
        Column("cpus", "CPUs", help="The CPUs that it waits for."),
        Column("tasks", "Tasks", "list", "The PIDs of tasks that it waits for (preemptible RCU)."),
        Column("callbacks", "Callbacks", "int", "Callbacks of all CPUs that wait: memory to be freed, mostly."),
        Column("activity_seconds", "Thread idle", "seconds", "Since its thread last did something."),
        Column("pid", "PID", "int", "That thread.", "task"),
        Column(
            "number",
            "Number",
            "int",
            "Its number as stall warnings print it (g=).",
            brief=False,
        ),
    ),
    grace_periods,
    "cpus",
    told_in="rcu",
)
