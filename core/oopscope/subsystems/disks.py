"""The table `disks`: block devices and what their queues do."""

from oopscope.linux.block import disks
from oopscope.subsystems import Column, Table

TABLE = Table(
    "disks",
    "Disks",
    (
        Column("name", "Disk", help="The device's name, as under /dev."),
        Column("kind", "Kind", help="disk, or partition of one."),
        Column("driver", "Driver", help="The driver of the hardware; of a disk without any the module that makes it."),
        Column("bytes", "Size", "bytes", "Its size."),
        Column("in_flight", "In flight", "int", "Requests that the driver was given and has not answered."),
        Column("oldest_seconds", "Oldest", "seconds", "For how long the oldest of them has waited for an answer."),
        Column(
            "state",
            "State",
            help="live; frozen: no new request is let in; quiesced: none is handed to the driver.",
        ),
        Column("scheduler", "Scheduler", help="The I/O scheduler, none for none."),
        Column("queues", "Queues", "int", "How many hardware queues it has."),
        Column("address", "gendisk", "address", "Its struct gendisk.", "struct gendisk", False),
    ),
    disks,
    "io",
    thing="disk",
    commands=("struct gendisk {address:x}", "dev -d"),
)
