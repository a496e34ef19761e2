"""The table `slabs`: the slab caches."""

from oopscope.linux.slab import all_slabs
from oopscope.subsystems import Column, Table

TABLE = Table(
    "slabs",
    "Slabs",
    (
        Column("name", "Cache"),
        Column("object_size", "Object", "bytes"),
        Column("active", "Active", "int"),
        Column("total", "Total", "int"),
        Column("bytes", "Memory", "bytes"),
    ),
    all_slabs,
)
