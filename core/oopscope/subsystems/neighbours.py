"""The table `neighbours`: hardware addresses of the machines around (ARP, NDP)."""

from oopscope.linux.neighbour import counted, neighbours
from oopscope.subsystems import Column, Table

TABLE = Table(
    "neighbours",
    "Neighbours",
    (
        Column("ip", "Address", help="The neighbour's IP address."),
        Column("mac", "MAC", help="Its hardware address; none where nobody has answered."),
        Column("device", "Device", help="The interface behind which it is."),
        Column(
            "state",
            "State",
            help="reachable; stale: not heard of for a while; delay, probe: being asked; incomplete: asked for the "
            "first time; failed: no answer; permanent: set by hand; noarp: needs no asking.",
        ),
        Column("flags", "Flags", help="router: it says it is one; proxy, learned, managed."),
        Column("waiting", "Waiting", "int", "Packets that wait until its hardware address is known."),
        Column("updated_seconds", "Changed", "seconds", "How long ago its state or address last changed."),
        Column("namespace", "Namespace", "int", "The number of its network namespace.", brief=False),
        Column("address", "Struct", "address", "Its struct neighbour.", "struct neighbour", False),
    ),
    neighbours,
    "network",
    ("address",),
    asked=True,
    when_opened=True,
    of=counted,
)
