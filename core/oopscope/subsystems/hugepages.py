"""The table `hugepages`: pools of huge pages."""

from oopscope.linux.huge_pages import huge_pages
from oopscope.subsystems import Column, Table

TABLE = Table(
    "hugepages",
    "Huge pages",
    (
        Column("bytes", "Size", "bytes", "The size of one."),
        Column("total", "Total", "int", "How many there are: memory that nothing else can use."),
        Column("free", "Free", "int", "Those that nobody uses."),
        Column("reserved", "Reserved", "int", "Of the free ones those that are promised (mmap) and not yet touched."),
        Column("surplus", "Surplus", "int", "Those beyond nr_hugepages, which go when they are given back."),
        Column("most", "Overcommit", "int", "How many surplus ones there may be (nr_overcommit_hugepages)."),
    ),
    huge_pages,
    "memory",
    ("bytes",),
    asked=True,
)
