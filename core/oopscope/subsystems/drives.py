"""The table `drives`: what drives each disk, and in what state it is."""

from oopscope.linux.drive import drives
from oopscope.subsystems import Column, Table

TABLE = Table(
    "drives",
    "Drives",
    (
        Column("disk", "Disk", help="The disk's name."),
        Column("kind", "Kind", help="SCSI, NVMe, device-mapper, loop or md; of others nothing more is known here."),
        Column("identity", "What", help="Its maker and model, a mapped device's name, a loop device's file."),
        Column("state", "State", help="As the driver has it: running, live, offline, suspended, resetting ..."),
        Column("notes", "More", "list", "Its place, its queue, commands and errors, its targets."),
        Column("address", "Address", "address", "The driver's own struct.", brief=False),
    ),
    drives,
    "io",
    asked=True,
    when_opened=True,
)
