"""The table `modules`: modules as lsmod shows them."""

from oopscope.linux.module_list import all_modules
from oopscope.subsystems import Column, Table

TABLE = Table(
    "modules",
    "Modules",
    (
        Column("name", "Module"),
        Column("size_bytes", "Size", "bytes"),
        Column("address", "Address", "address"),
        Column("refcount", "Used", "int"),
        Column("used_by", "By", "list"),
        Column("state", "State"),
        Column("taint", "Taint"),
    ),
    all_modules,
)
