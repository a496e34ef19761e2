"""A zone's watermarks and sizes. See mm/page_alloc.c and Documentation/mm/physical_memory.rst."""

from oopscope.explain import Text

TEXTS: dict[str, Text] = {
    "free": Text(
        "Free pages of the zone. Compare it with the watermarks: below low, kswapd works; below min, allocations "
        "wait and reclaim themselves.",
    ),
    "min": Text(
        "Below this only urgent allocations (GFP_ATOMIC, reclaim itself) get pages; all others must reclaim first, "
        "or fail, or end in the OOM killer.",
    ),
    "low": Text("Below this kswapd is woken to free pages in the background."),
    "high": Text("kswapd stops when the zone has this much free again."),
    "spanned": Text("From the zone's first page to its last, holes included."),
    "present": Text("The RAM in it: spanned without the holes."),
    "managed": Text(
        "What the page allocator has to give: present without what was reserved at boot. Watermarks are computed "
        "from this.",
    ),
    "DMA": Text("The first 16 MiB, for devices of the ISA bus. Small, and nearly never the trouble."),
    "DMA32": Text("What lies below 4 GiB, for devices that address no more."),
    "Normal": Text("All RAM beyond DMA32 that is mapped at all times: where the kernel's own memory comes from first."),
    "Movable": Text(
        "RAM that only movable pages (of programs and files) may use, so that it can be taken offline. The kernel's "
        "own memory never comes from here, so that the machine can run out with this still free.",
    ),
    "HighMem": Text("On 32-bit kernels, RAM beyond what is mapped at all times."),
    "Device": Text("Memory of devices (persistent memory, GPUs) with struct pages; not for allocation."),
}
