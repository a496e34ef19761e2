"""The table `log`: the kernel log."""

from oopscope.linux.printk import log
from oopscope.subsystems import Column, Table

TABLE = Table(
    "log",
    "Log",
    (
        Column(
            "ns",
            "Time",
            "int",
            "Time since boot by the log's own clock, which may run apart from others by some milliseconds, and "
            "stands in suspend.",
        ),
        Column("level", "Level", "int", "How grave: 0 emergency to 7 debug.", topic="level"),
        Column("facility", "Facility", "int", "Who wrote it: 0 the kernel, others programs through /dev/kmsg."),
        Column(
            "caller",
            "Caller",
            help="Who printed it: T with a PID, or C with a CPU in an interrupt; only where the kernel records it "
            "(CONFIG_PRINTK_CALLER).",
        ),
        Column("text", "Text", help="The message.", topic="log"),
    ),
    log,
    "log",
    asked=True,
    walked=False,  # a ring: what was overwritten is not counted
    thing="log",
    commands=("log -T", "sys -i", "bt"),
)
