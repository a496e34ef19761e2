"""The table `modinfo`: where modules are from and what they need."""

from oopscope.linux.parameters import module_infos
from oopscope.subsystems import Column, Table

TABLE = Table(
    "modinfo",
    "Module versions",
    (
        Column("name", "Module", help="The module's name.", names="module"),
        Column("version", "Version", help="What MODULE_VERSION says; most of the kernel's own say nothing."),
        Column("srcversion", "Source", help="A hash of its source (srcversion)."),
        Column("needs", "Needs", "list", "The modules whose symbols it uses."),
        Column("parameters", "Parameters", "int", "How many it has."),
        Column("build_id", "Build ID", help="What its debug symbols are found by.", brief=False),
        Column("address", "module", "address", "Its struct module.", "struct module", False),
    ),
    module_infos,
    "system",
    asked=True,
)
