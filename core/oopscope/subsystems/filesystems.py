"""The table `filesystems`: file systems with their state, and what of them is dirty."""

from oopscope.linux.filesystem import file_systems
from oopscope.subsystems import Column, Table

TABLE = Table(
    "filesystems",
    "File systems",
    (
        Column("name", "Name", help="Its device, or for one without its type."),
        Column("type", "Type", help="The file system's kind."),
        Column(
            "state",
            "State",
            help="rw or ro; frozen, or on the way there (fsfreeze, snapshots): who writes waits; errors seen: it found "
            "itself damaged; shut down: it takes nothing any more; being unmounted.",
        ),
        Column("targets", "Mounted on", "list", "Where PID 1 sees it; none: within the kernel, or in a container."),
        Column("dirty_inodes", "Dirty", "int", "Inodes that wait to be written."),
        Column("dirty", "Pages", "bytes", "Pages that wait to be written, of all on its device."),
        Column("writeback", "Writing", "bytes", "Pages that are being written, of all on its device.", brief=False),
        Column("errors", "Errors", "int", "Errors that it has recorded (ext4)."),
        Column(
            "options", "Own options", help="Options of the file system's own, of ext2 to ext4 and tmpfs.", brief=False
        ),
        Column("used", "Used", "bytes", "What it holds, of tmpfs.", brief=False),
        Column("device", "Device", help="Major and minor number.", brief=False),
        Column("address", "super_block", "address", "Its struct super_block.", "struct super_block", False),
    ),
    file_systems,
    "io",
    ("address",),
)
