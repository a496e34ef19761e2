"""The table `vmallocs`: areas of vmalloc by who asked for them."""

from oopscope.linux.vmalloc_users import vmalloc_users
from oopscope.subsystems import Column, Table

TABLE = Table(
    "vmallocs",
    "Vmalloc",
    (
        Column("caller", "Caller", help="The place in the code that asked; of vm_map_ram() none is kept."),
        Column("module", "Module", help="The module that it is in.", names="module"),
        Column("kind", "Kind", help="vmalloc, vmap: pages mapped again; ioremap: a device's registers; user ..."),
        Column("areas", "Areas", "int", "How many it has. Very many of one caller: a leak."),
        Column("memory", "Memory", "bytes", "Pages that were allocated for them."),
        Column("bytes", "Addresses", "bytes", "Room of addresses, guard pages included."),
        Column("pages", "Pages", "int", "The same memory in pages.", brief=False),
        Column(
            "least",
            "At least",
            "bool",
            "Not every area could be read: the numbers are of those that were.",
            brief=False,
        ),
    ),
    vmalloc_users,
    "memory",
    ("caller", "kind"),
    most=20,
    asked=True,
)
