"""The table `cpus`: what each CPU ran, with its stack and registers."""

from oopscope.stacks.cpus import all_cpus
from oopscope.subsystems import Column, Table

TABLE = Table(
    "cpus",
    "CPUs",
    (
        Column("cpu", "CPU", "int"),
        Column("online", "Online", "bool"),
        Column("state", "State", "state"),
        Column("pid", "PID", "int"),
        Column("comm", "Command"),
        Column("task", "Task", "address"),
        Column("frames", "Stack", "frames"),
        Column("registers", "Registers", "registers"),
    ),
    all_cpus,
)
