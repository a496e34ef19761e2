"""The table `system`: the machine and the kernel, a fact a row."""

from oopscope.linux.system import _rows
from oopscope.subsystems import Column, Table

TABLE = Table("system", "System", (Column("name", "Fact"), Column("value", "Value")), _rows)
