"""Memory zones against their watermarks. Follows include/linux/mmzone.h and mm/vmstat.c."""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.once import once
from oopscope.structs.plan import Plan

MAX_NODES = 1024


class ZoneStruct(NamedTuple):
    """struct zone, counts in pages."""

    name: int
    managed: int
    present: int
    spanned: int
    watermark: tuple[int, ...]
    vm_stat: tuple[int, ...]


ZONE = Plan(
    "zone",
    ZoneStruct,
    # atomic since 9705bea5f833 "mm: convert zone->managed_pages to atomic variable", 5.0
    managed=("managed_pages.counter", "managed_pages"),
    present="present_pages",
    spanned="spanned_pages",
    watermark=("_watermark", "watermark"),  # a921444382b4 "mm: move zone watermark accesses behind an accessor", 5.0
)


class PageLists(NamedTuple):
    """struct per_cpu_pages: how many free pages a CPU keeps for itself."""

    pages: int


class Pageset(NamedTuple):
    """What of struct zone leads to the CPUs' own lists of free pages: a per-CPU address."""

    managed: int
    lists: int


# 28f836b6777b "mm/page_alloc: split per cpu page lists and zone stats", 5.14: per_cpu_pages stood in per_cpu_pageset.
PAGESET = Plan(
    "zone",
    Pageset,
    managed=("managed_pages.counter", "managed_pages"),
    lists=("per_cpu_pageset", "pageset"),
)
PAGE_LISTS = Plan("per_cpu_pages", PageLists, pages="count")
PAGE_LISTS_IN_SET = Plan("per_cpu_pageset", PageLists, pages="pcp.count")
MAX_LISTED = 1 << 20  # pages of one CPU and zone: what is more is no count


class Zone(NamedTuple):
    """One populated zone, in bytes."""

    node: int
    name: str
    free: int
    min: int | None
    low: int | None
    high: int | None
    spanned: int
    present: int
    managed: int


def _node_ids(kernel: Kernel) -> int:
    """Return how many nodes there can be (nr_node_ids), which bounds an array of unknown length."""
    address = kernel.find_symbol("nr_node_ids")
    try:
        return kernel.memory.u32(address) or 1 if address is not None else MAX_NODES
    except OopscopeError:
        return MAX_NODES


def node_structs(kernel: Kernel) -> Iterator[tuple[int, int]]:
    """Yield (node, address of its struct pglist_data)."""
    table = kernel.find_symbol("node_data")
    if table is None:
        yield 0, kernel.symbol("contig_page_data")
        return
    count = min(kernel.info.length("node_data") or 64, _node_ids(kernel), MAX_NODES)
    yield from ((i, node) for i, node in enumerate(kernel.memory.words(table, count)) if node)


@once
def all_zones(kernel: Kernel) -> list[Zone]:
    """Return the zones that manage memory, by node."""
    member, bound = kernel.types.member("pglist_data", "node_zones"), kernel.bind(ZONE)
    free_index = kernel.types.enum("zone_stat_item").get("NR_FREE_PAGES")
    if free_index is None:
        raise Absent("this kernel has no counter NR_FREE_PAGES")
    found = []
    for node, base in node_structs(kernel):
        for i in range(min(member.count or 0, 16)):
            try:
                row = bound.row(base + member.offset + i * bound.size)
                if row.managed:
                    found.append(_zone(kernel, node, row, free_index))
            except OopscopeError as e:
                kernel.problems.lost("zones", f"node {node}, zone {i}")(e)
    return found


def _zone(kernel: Kernel, node: int, row: ZoneStruct, free_index: int) -> Zone:
    page = kernel.memory.page_size
    free = row.vm_stat[free_index] if free_index < len(row.vm_stat) else 0
    marks: list[int | None] = [*(m * page for m in row.watermark[:3]), None, None, None]
    name = kernel.memory.text(row.name, 32)
    return Zone(
        node,
        name,
        max(kernel.memory.signed(free), 0) * page,
        marks[0],
        marks[1],
        marks[2],
        row.spanned * page,
        row.present * page,
        row.managed * page,
    )


def pages_on_cpu_lists(kernel: Kernel) -> int:
    """Count the free pages that the CPUs keep on lists of their own (show_mem's free_pcp): MemFree lacks them.

    Raises what reading one of the lists raises, for a part of the sum is no answer.
    """
    member, bound = kernel.types.member("pglist_data", "node_zones"), kernel.bind(PAGESET)
    lists = kernel.bind(PAGE_LISTS if kernel.types.has_member("zone", "per_cpu_pageset") else PAGE_LISTS_IN_SET)
    found = 0
    for _, base in node_structs(kernel):
        for i in range(min(member.count or 0, 16)):
            zone = bound.row(base + member.offset + i * bound.size)
            if not zone.managed or not zone.lists:
                continue
            for offset in kernel.cached(per_cpu_offsets):
                count = lists.row((zone.lists + offset) % kernel.memory.top).pages
                if not 0 <= count < MAX_LISTED:
                    raise Implausible(f"{count} pages on a CPU's list of free pages", zone.lists)
                found += count
    return found
