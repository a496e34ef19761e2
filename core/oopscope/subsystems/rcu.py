"""The table `rcu`: what each CPU has to do with RCU."""

from oopscope.linux.rcu import rcu_cpus
from oopscope.subsystems import CPU, Column, Table

TABLE = Table(
    "rcu",
    "RCU by CPU",
    (
        CPU,
        Column("holds_up", "Holds up", "bool", "Whether the grace period that runs waits for it."),
        Column("expedited", "Expedited", "bool", "Whether an expedited one does."),
        Column("callbacks", "Callbacks", "int", "Its callbacks that wait."),
        Column("gp_seq", "Number", "int", "The last grace period that it knows of."),
    ),
    rcu_cpus,
    "cpus",
    asked=True,
)
