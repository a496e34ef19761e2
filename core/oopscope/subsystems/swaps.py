"""The table `swaps`: swap areas as in /proc/swaps."""

from oopscope.linux.swap import swap_areas
from oopscope.subsystems import Column, Table

TABLE = Table(
    "swaps",
    "Swap areas",
    (
        Column("path", "Path", help="The file or the partition."),
        Column("kind", "Kind", help="file or partition."),
        Column("size", "Size", "bytes", "How much it holds."),
        Column("used", "Used", "bytes", "How much of it is in use."),
        Column("priority", "Priority", "int", "The highest is used first."),
        Column("state", "State", help="on; being turned off (swapoff reads it back)."),
        Column("address", "Area", "address", "Its struct swap_info_struct.", "struct swap_info_struct", False),
    ),
    swap_areas,
    "memory",
    ("address",),
)
