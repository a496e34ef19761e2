"""The table `zones`: the zones with their watermarks."""

from oopscope.linux.zone import all_zones
from oopscope.subsystems import Column, Table

TABLE = Table(
    "zones",
    "Zones",
    (
        Column("node", "Node", "int"),
        Column("name", "Zone"),
        Column("free", "Free", "bytes"),
        Column("min", "Min", "bytes"),
        Column("low", "Low", "bytes"),
        Column("high", "High", "bytes"),
        Column("spanned", "Spanned", "bytes"),
        Column("present", "Present", "bytes"),
        Column("managed", "Managed", "bytes"),
    ),
    all_zones,
)
