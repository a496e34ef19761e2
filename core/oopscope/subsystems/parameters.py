"""The table `parameters`: parameters of modules and of what is built in."""

from oopscope.linux.parameters import parameters
from oopscope.subsystems import Column, Table

TABLE = Table(
    "parameters",
    "Parameters",
    (
        Column("module", "Module", help="The module, or the part of the kernel that is built in."),
        Column("name", "Parameter", help="Its name, as on the command line."),
        Column(
            "value",
            "Value",
            help="Its value; null where the module has a form of its own for it, and where it was only for booting: "
            "the kernel has freed that memory.",
        ),
        Column("kind", "Kind", help="int, bool, charp (text), array and so on."),
        Column("perm", "Mode", help="The mode of its file in /sys/module; 0: it has none."),
        Column("address", "kernel_param", "address", "Its struct kernel_param.", "struct kernel_param", False),
    ),
    parameters,
    "system",
    ("module", "name", "address"),
    asked=True,
)
