"""The table `vmstat`: the counters of /proc/vmstat."""

from oopscope.linux.vmstat import vmstat
from oopscope.subsystems import Column, Table

TABLE = Table(
    "vmstat",
    "Vmstat",
    (
        Column("name", "Counter", help="A line of /proc/vmstat."),
        Column("value", "Value", "int", "Its value, mostly pages or how often something happened since boot."),
        Column(
            "kind",
            "Kind",
            help="zone and node: what there is now; numa and event: what happened; threshold: when writers must wait.",
        ),
    ),
    vmstat,
    "memory",
    asked=True,
)
