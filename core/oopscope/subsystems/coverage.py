"""The table `coverage`: how much of the machine's memory the dump holds."""

from oopscope.inspect.coverage import coverage
from oopscope.subsystems import Column, Table

TABLE = Table(
    "coverage",
    "Coverage",
    (
        Column("what", "What"),
        Column("start", "From", "address"),
        Column("end", "To", "address"),
        Column("size", "Size", "bytes"),
        Column("saved", "In the dump", "bytes"),
        Column("lacking", "Lacking", "bytes"),
        Column("note", "Note"),
    ),
    coverage,
)
