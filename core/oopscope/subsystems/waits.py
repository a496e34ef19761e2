"""The table `waits`: who waits for what, and who holds it: the wait-for graph, a row for each task that waits."""

from oopscope.subsystems import Column, Table
from oopscope.waits.rows import wait_rows

TABLE = Table(
    "waits",
    "Waits",
    (
        Column("pid", "PID", "int", "The task that waits.", "task"),
        Column("comm", "Command", help="The name of the task that waits."),
        Column("since_seconds", "Since", "seconds", "For how long it has not run."),
        Column("kind", "Kind", help="What it waits for: a kind of lock, a request, a disk, a file system, work ..."),
        Column("thing", "Waits for", help="The thing, by its name where it has one."),
        Column("holder_pid", "Held by", "int", "The task that holds it, where there is one and no more.", "task"),
        Column("holders", "Holders", "list", "Who holds it, or what it stands behind; none where nothing records it."),
        Column("behind", "Wait", "int", "How many tasks wait for the same thing.", brief=False),
        Column(
            "basis",
            "Basis",
            help="recorded: the kernel keeps it. linked: lists agree both ways. inferred: from the waiter's own words. "
            "likely: the rest.",
        ),
        Column("circle", "Circle", "bool", "Part of a circle: a deadlock."),
        Column("evidence", "Evidence", help="How it is known.", brief=False),
        Column("task", "task_struct", "address", "The waiter's struct task_struct.", brief=False),
        Column("address", "Address", "address", "Where the thing is.", brief=False),
    ),
    wait_rows,
    "waits",
    ("pid", "address"),
    walked=False,  # only what sleepers' stacks lead to
)
