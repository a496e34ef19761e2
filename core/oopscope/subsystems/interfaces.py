"""The table `interfaces`: network interfaces by namespace."""

from oopscope.linux.net import interfaces
from oopscope.subsystems import Column, Table

DRIVERS = " Null where only the driver counts."
TABLE = Table(
    "interfaces",
    "Interfaces",
    (
        Column("name", "Name", help="The interface's name in its namespace."),
        Column("ifindex", "Index", "int", "Its number (ifindex).", brief=False),
        Column(
            "state",
            "State",
            help="down; up; up and what is told of the link: no carrier, unknown (it does not tell, as lo), dormant.",
        ),
        Column("addresses", "Addresses", "list", "Its IPv4 and IPv6 addresses, with the length of their prefix."),
        Column("rx_packets", "Received", "int", f"Packets received.{DRIVERS}"),
        Column("tx_packets", "Sent", "int", f"Packets sent.{DRIVERS}"),
        Column(
            "stopped",
            "Stopped",
            "list",
            "Send queues that take no packets, with who stopped them: the driver, whose ring is full; the stack, which "
            "holds to a limit of bytes (BQL); frozen while the watchdog looks.",
        ),
        Column(
            "stopped_seconds",
            "Since",
            "seconds",
            "How long ago a stopped queue sent its last packet, at most.",
            brief=False,
        ),
        Column("namespace", "Namespace", "int", "The number of its network namespace (ls -l /proc/PID/ns/net)."),
        Column("mac", "MAC", help="Its hardware address.", brief=False),
        Column("mtu", "MTU", "int", "The largest packet in bytes.", brief=False),
        Column("rx_bytes", "Bytes received", "int", f"Bytes received.{DRIVERS}", brief=False),
        Column("rx_errors", "Receive errors", "int", f"Packets that came damaged.{DRIVERS}", brief=False),
        Column(
            "rx_dropped", "Receive drops", "int", f"Packets that nobody took, or without room.{DRIVERS}", brief=False
        ),
        Column("tx_bytes", "Bytes sent", "int", f"Bytes sent.{DRIVERS}", brief=False),
        Column("tx_errors", "Send errors", "int", f"Packets that could not be sent.{DRIVERS}", brief=False),
        Column("tx_dropped", "Send drops", "int", f"Packets that were given up before.{DRIVERS}", brief=False),
        Column("driver", "Driver", help="The module, or the part of the kernel, that it belongs to.", brief=False),
        Column("address", "Device", "address", "Its struct net_device.", "struct net_device", False),
    ),
    interfaces,
    "network",
    ("namespace", "name"),
)
