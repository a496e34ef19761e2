"""The table `modules`: modules as lsmod shows them."""

from oopscope.linux.module_list import all_modules
from oopscope.subsystems import Column, Offer, Table

TABLE = Table(
    "modules",
    "Modules",
    (
        Column("name", "Module", help="The module's name."),
        Column("size_bytes", "Size", "bytes", "Its code and data."),
        Column("address", "Address", "address", "Where its code begins."),
        Column(
            "refcount",
            "Used",
            "int",
            "How often it is in use, by other modules and by open devices and mounts.",
        ),
        Column("used_by", "By", "list", "Modules that use its symbols."),
        Column(
            "state",
            "State",
            help="live; coming: its init function runs, or failed to end; going: being unloaded. A death while coming "
            "or going points at that module.",
        ),
        Column(
            "taint",
            "Taint",
            help="How it taints the kernel: P proprietary, O from outside of the tree, E unsigned, F forced, "
            "C staging.",
            topic="taint",
        ),
    ),
    all_modules,
    thing="module",
    offer=Offer(lambda module: module.name or "", "mod", ("taint",)),
    commands=("mod {name}", "sym -m {name}", "mod -t"),
)
