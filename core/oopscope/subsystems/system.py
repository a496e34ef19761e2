"""The table `system`: the machine and the kernel, a fact a row."""

from oopscope.linux.system import system_rows
from oopscope.subsystems import Column, Table

TABLE = Table(
    "system",
    "System",
    (Column("name", "Fact", help="What is told.", topic="system"), Column("value", "Value", help="Its value.")),
    system_rows,
    asked=True,  # in a report it is no list, and has its own place
)
