"""The table `zones`: the zones with their watermarks."""

from oopscope.linux.zone import all_zones
from oopscope.subsystems import Column, Table

TABLE = Table(
    "zones",
    "Zones",
    (
        Column("node", "Node", "int", "The NUMA node: memory near one group of CPUs."),
        Column(
            "name",
            "Zone",
            help="The kind of memory: DMA (below 16 MiB), DMA32 (below 4 GiB), Normal, Movable.",
            topic="watermark",
        ),
        Column("free", "Free", "bytes", "Free pages."),
        Column("min", "Min", "bytes", "The watermark below which allocations must reclaim themselves."),
        Column("low", "Low", "bytes", "The watermark below which kswapd works."),
        Column("high", "High", "bytes", "The watermark at which kswapd rests."),
        Column("spanned", "Spanned", "bytes", "From its first page to its last, holes included."),
        Column("present", "Present", "bytes", "Its RAM."),
        Column("managed", "Managed", "bytes", "What the page allocator has to give of it."),
    ),
    all_zones,
    "memory",
    ("node", "name"),
)
