"""The table `routes`: where packets are sent, by namespace and table."""

from oopscope.linux.route import routes
from oopscope.subsystems import Column, Table

TABLE = Table(
    "routes",
    "Routes",
    (
        Column("table", "Table", help="The routing table: main, local (the machine's own addresses), or a number."),
        Column("destination", "To", help="The addresses that it is for; default: all that no other route has."),
        Column("type", "Type", help="unicast, local, broadcast ...; unreachable, prohibit, blackhole: refused."),
        Column("gateway", "Via", help="The machine that packets are handed to; nothing where it is reached itself."),
        Column("device", "Device", help="The interface through which they go."),
        Column("state", "State", help="dead: its interface is down; linkdown: its carrier is."),
        Column("metric", "Metric", "int", "Of several for one destination the lowest is taken.", brief=False),
        Column("source", "From", help="The address that the machine gives itself on this route.", brief=False),
        Column("protocol", "By", help="Who set it: kernel, boot or static (ip), ra, dhcp, a routing daemon."),
        Column("namespace", "Namespace", "int", "The number of its network namespace.", brief=False),
        Column("hop", "Hop", "int", "Which of its next hops this is, from 0.", brief=False),
        Column("address", "Address", "address", "Its struct fib_alias (IPv4) or struct fib6_info.", brief=False),
    ),
    routes,
    "network",
    ("address", "hop"),
    asked=True,
    when_opened=True,
)
