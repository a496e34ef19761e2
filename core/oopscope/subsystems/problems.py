"""The table of what could not be read: a section of every report by itself, and a pane; no line in TABLES."""

from oopscope.subsystems import Column, Table

PROBLEMS = Table(
    "problems",
    "Problems",
    (
        Column("section", "Section", help="The table in whose reading it was met."),
        Column(
            "message",
            "What",
            help="What could not be read, and why: left out on purpose, beyond the file's end, damaged, or never "
            "saved.",
        ),
        Column("address", "Address", "address", "The address that was wanted."),
    ),
    lambda kernel: kernel.problems,
    identity=("section", "message"),
)
