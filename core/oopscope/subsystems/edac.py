"""The table `edac`: memory modules, and the errors that were counted of each."""

from oopscope.linux.edac import memory_modules
from oopscope.subsystems import Column, Table

TABLE = Table(
    "edac",
    "Memory errors",
    (
        Column("controller", "Controller", help="mc0, mc1 ... as in /sys/devices/system/edac."),
        Column("label", "Module", help="What the board calls it; none: errors that were not located."),
        Column("corrected", "Corrected", "int", "Errors that ECC corrected: many, or more and more, are a bad module."),
        Column("uncorrected", "Uncorrected", "int", "Errors that were not: data was lost."),
        Column("bytes", "Size", "bytes", "How much memory it has."),
        Column("kind", "Kind", help="DDR4, RDDR4 (registered) ..."),
        Column("row", "Row", "int", "Its chip select row.", brief=False),
        Column("channel", "Channel", "int", "Its channel.", brief=False),
        Column("name", "Of", help="The controller's name: the driver's words.", brief=False),
        Column("address", "Struct", "address", "Its struct dimm_info, or the controller's mem_ctl_info.", brief=False),
    ),
    memory_modules,
    "memory",
    ("address",),
    asked=True,
    when_opened=True,
)
