"""The table `coverage`: how much of the machine's memory the dump holds."""

from oopscope.inspect.coverage import coverage
from oopscope.subsystems import Column, Table

TABLE = Table(
    "coverage",
    "Coverage",
    (
        Column("what", "What", help="A range of physical memory, or a kind of page."),
        Column("start", "From", "address", "The first physical address."),
        Column("end", "To", "address", "The address after its last."),
        Column("size", "Size", "bytes", "How much RAM there is."),
        Column("saved", "In the dump", "bytes", "How much of that the dump holds."),
        Column(
            "lacking",
            "Lacking",
            "bytes",
            "How much it does not hold. What makedumpfile leaves out on purpose (-d) is no damage.",
        ),
        Column("note", "Note", help="Why it lacks something, where that is known."),
    ),
    coverage,
    identity=("what", "start", "note"),  # of two reasons there are two lines
    asked=True,
)
