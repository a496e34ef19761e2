"""The table `nodes`: memory nodes."""

from oopscope.linux.node import nodes
from oopscope.subsystems import Column, Table

TABLE = Table(
    "nodes",
    "Nodes",
    (
        Column("node", "Node", "int", "The NUMA node: memory near one group of CPUs."),
        Column("managed", "Managed", "bytes", "What the page allocator has to give of it."),
        Column("free", "Free", "bytes", "Free pages."),
        Column("file", "Files", "bytes", "Cached pages of files, shared memory included."),
        Column("anonymous", "Anonymous", "bytes", "Programs' own memory."),
        Column("slab", "Slab", "bytes", "The kernel's own small objects."),
        Column("dirty", "Dirty", "bytes", "What waits to be written."),
        Column("writeback", "Writeback", "bytes", "What is being written."),
        Column(
            "failures",
            "Failures",
            "int",
            "How often kswapd in a row could free nothing. At 16 it gives up, and who allocates must reclaim.",
        ),
        Column("kswapd", "kswapd", "int", "The thread that reclaims it.", "task"),
        Column("present", "Present", "bytes", "Its RAM.", brief=False),
        Column("address", "Address", "address", "Its struct pglist_data.", "struct pglist_data", False),
    ),
    nodes,
    "memory",
)
