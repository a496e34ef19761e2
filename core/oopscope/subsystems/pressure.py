"""The table `pressure`: time that tasks lost for want of CPU, memory and I/O."""

from oopscope.linux.psi import pressures
from oopscope.subsystems import Column, Table

TABLE = Table(
    "pressure",
    "Pressure",
    (
        Column("group", "Group", help="The control group; nothing for the whole machine."),
        Column("resource", "Of", help="cpu, memory, io, irq."),
        Column("kind", "Kind", help="some: at least one task waited; full: all that were not idle did."),
        Column("avg10", "10 s", help="Percent of the last 10 seconds."),
        Column("avg60", "60 s", help="Percent of the last minute."),
        Column("avg300", "300 s", help="Percent of the last five minutes."),
        Column("total_seconds", "In all", "seconds", "Since boot, or since the group was made."),
        Column("address", "Address", "address", "Its struct psi_group.", brief=False),
    ),
    pressures,
    "cpus",
    ("group", "resource", "kind"),
    asked=True,
    when_opened=True,
)
