"""The table `timeline`: what happened when, and since when what waits waits, on one axis that ends with the dump."""

from oopscope.subsystems import Column, Table
from oopscope.waits.timeline import timeline

TABLE = Table(
    "timeline",
    "Timeline",
    (
        Column("before_seconds", "Before", "seconds", "How long before the end.", look="zoom: f before_seconds<10"),
        Column("axis", "Axis", help="The same drawn: the end is on the right, each step a like share of what is left."),
        Column("kind", "Kind", help="log, task, request, work, grace period, watchdog or timer: whose clock it is."),
        Column("what", "What", help="What happened, or has been waited for since."),
        Column("pid", "PID", "int", "The task.", "task"),
        Column(
            "within_seconds",
            "Within",
            "seconds",
            "How far the time can be off: by a tick where jiffies or an idle CPU's clock tell it.",
        ),
        Column("record", "Record", "int", "The record of the log.", "log", brief=False),
    ),
    timeline,
    "log",
    ("kind", "before_seconds", "what"),
    asked=True,
    walked=False,
)
