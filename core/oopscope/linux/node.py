"""Memory nodes: what each has, what is free, what it is used for, and how its kswapd fares.

Follows include/linux/mmzone.h and drivers/base/node.c.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.task import task_structs
from oopscope.linux.zone import all_zones, node_structs
from oopscope.structs.plan import Plan

# What is added up under each name, by the names of enum node_stat_item over the years.
USES = {
    "file": (("NR_FILE_PAGES",),),
    "anonymous": (("NR_ANON_MAPPED", "NR_ANON_PAGES"),),
    "slab": (
        ("NR_SLAB_RECLAIMABLE_B", "NR_SLAB_RECLAIMABLE"),
        ("NR_SLAB_UNRECLAIMABLE_B", "NR_SLAB_UNRECLAIMABLE"),
    ),
    "dirty": (("NR_FILE_DIRTY",),),
    "writeback": (("NR_WRITEBACK",),),
}  # fmt: skip


class NodeStruct(NamedTuple):
    """struct pglist_data, sizes in pages."""

    node_id: int
    present: int
    spanned: int
    kswapd: int
    failures: int
    order: int
    vm_stat: tuple[int, ...]


NODE = Plan(
    "pglist_data", NodeStruct, present="node_present_pages", spanned="node_spanned_pages",
    failures=("kswapd_failures.counter", "kswapd_failures"), order="kswapd_order", vm_stat="vm_stat",
)  # fmt: skip


class Node(NamedTuple):
    """A node, in bytes; its counters are without the CPUs' own parts, as the kernel shows them."""

    node: int
    present: int
    managed: int
    free: int
    file: int | None
    anonymous: int | None
    slab: int | None
    dirty: int | None
    writeback: int | None
    kswapd: int | None  # its PID
    failures: int
    address: int


@once
def nodes(kernel: Kernel) -> list[Node]:
    """Return the nodes; what does not call itself by its number is dropped, and said."""
    bound, items, page = kernel.bind(NODE), kernel.types.enum("node_stat_item"), kernel.memory.page_size
    zones, tasks, found = all_zones(kernel), task_structs(kernel), []
    for number, address in node_structs(kernel):
        try:
            row = bound.row(address)
        except OopscopeError as e:
            kernel.problems.lost("nodes", f"node {number}")(e)
            continue
        if row.node_id != number:
            kernel.problems.add("nodes", f"what should be node {number} calls itself {row.node_id}", address)
            continue
        mine = [zone for zone in zones if zone.node == number]
        uses = {name: _sum(kernel, row.vm_stat, items, groups) for name, groups in USES.items()}
        sizes = {name: pages * page if pages is not None else None for name, pages in uses.items()}
        kswapd = tasks.get(row.kswapd)
        found.append(
            Node(
                number,
                row.present * page,
                sum(zone.managed for zone in mine),
                sum(zone.free for zone in mine),
                sizes["file"],
                sizes["anonymous"],
                sizes["slab"],
                sizes["dirty"],
                sizes["writeback"],
                kswapd.pid if kswapd else None,
                row.failures,
                address,
            )
        )
    return found


def _sum(
    kernel: Kernel, stats: tuple[int, ...], items: dict[str, int], groups: tuple[tuple[str, ...], ...]
) -> int | None:
    """Add up counters; None where this kernel lacks one."""
    total = 0
    for names in groups:
        item = next((items[name] for name in names if name in items), None)
        if item is None or item >= len(stats):
            return None
        total += kernel.memory.signed(stats[item])
    return max(total, 0)
