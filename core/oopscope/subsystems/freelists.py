"""The table `freelists`: free blocks of the page allocator by zone and size."""

from oopscope.linux.free_lists import free_lists
from oopscope.subsystems import Column, Table

TABLE = Table(
    "freelists",
    "Free lists",
    (
        Column("node", "Node", "int", "The NUMA node."),
        Column("zone", "Zone", help="The zone of memory."),
        Column("order", "Order", "int", "A block has 2 to the power of this many pages."),
        Column("block", "Block", "bytes", "The size of one block."),
        Column("blocks", "Free", "int", "Free blocks of that size (/proc/buddyinfo). None of high orders: fragmented."),
        Column("bytes", "Memory", "bytes", "Memory of all of them."),
        Column(
            "types",
            "Of which",
            "list",
            "How many of each migrate type (/proc/pagetypeinfo); null where there are too many to be counted.",
        ),
    ),
    free_lists,
    "memory",
    ("node", "zone", "order"),
    asked=True,
)
