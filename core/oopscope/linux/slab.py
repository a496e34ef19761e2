"""Slab caches as /proc/slabinfo lists them. Follows mm/slab_common.c and mm/slub.c (SLUB only)."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.structs.plan import Plan

MAX_CACHES = 16384
MAX_PARTIAL = 10_000  # mm/slub.c's own limit for counting (MAX_PARTIAL_TO_SCAN)
MAX_NODES = 1024
MAX_ORDER = 12


class CacheStruct(NamedTuple):
    """struct kmem_cache."""

    address: int
    name: int
    object_size: int
    size: int
    oo: int
    link: int


class NodeStruct(NamedTuple):
    """struct kmem_cache_node; the totals are kept with CONFIG_SLUB_DEBUG."""

    nr_partial: int
    nr_slabs: int | None
    total_objects: int | None
    partial: int


class SlabStruct(NamedTuple):
    """One slab: how many objects it has, how many are in use."""

    address: int
    inuse: int
    objects: int


CACHE = Plan("kmem_cache", CacheStruct, oo="oo.x", link="&list")
NODE = Plan(
    "kmem_cache_node",
    NodeStruct,
    nr_slabs="nr_slabs.counter",
    total_objects="total_objects.counter",
    partial="&partial",
)
SLAB = Plan(("slab", "page"), SlabStruct)  # struct slab since d122019bf061 "mm: Split slab into its own type", 5.17


class Slab(NamedTuple):
    """One cache: its name, object size in bytes, objects in use and in all, and bytes of memory taken."""

    name: str
    object_size: int
    active: int | None
    total: int | None
    bytes: int | None


def _nodes(kernel: Kernel, cache: int) -> Iterator[int]:
    """Yield the kmem_cache_node of each NUMA node."""
    types, memory = kernel.types, kernel.memory
    ids = kernel.find_symbol("nr_node_ids")
    count = min(memory.u32(ids), MAX_NODES) if ids else 1
    try:
        array = types.member("kmem_cache", "node")
        stride, inner = memory.word_size, 0
    except Absent:  # 5ba6bc27b1f9, 7.1
        array = types.member("kmem_cache", "per_node")
        stride = types.sizeof("kmem_cache_per_node_ptrs")
        inner = types.member("kmem_cache_per_node_ptrs", "node").offset
    for i in range(count):
        node = memory.word(cache + array.offset + i * stride + inner)
        if node:
            yield node


def _free(kernel: Kernel, node: NodeStruct) -> int:
    """Count the free objects of a node's partial slabs; beyond MAX_PARTIAL the rest is reckoned, as the kernel does."""
    bound = kernel.bind(SLAB)
    try:
        link = kernel.types.member(bound.struct, "slab_list").offset
    except Absent:
        link = kernel.types.member(bound.struct, "lru").offset
    lost = kernel.problems.lost("slabs", "partial slabs")
    walk = islice(for_each_list(kernel.memory, node.partial, link, lost), MAX_PARTIAL)
    free = counted = 0
    for slab in bound.rows(walk, lost):
        free, counted = free + slab.objects - slab.inuse, counted + 1
    return free * node.nr_partial // counted if counted >= MAX_PARTIAL else free


def _slab(kernel: Kernel, cache: CacheStruct) -> Slab:
    name = kernel.memory.cstring(cache.name, 256).decode("utf-8", "backslashreplace")
    order = cache.oo >> 16
    try:
        nodes = [kernel.bind(NODE).row(n) for n in _nodes(kernel, cache.address)]
        if any(n.total_objects is None or n.nr_slabs is None for n in nodes) or order > MAX_ORDER:
            return Slab(name, cache.object_size, None, None, None)
        total = sum(n.total_objects or 0 for n in nodes)
        slabs = sum(n.nr_slabs or 0 for n in nodes)
        active = total - sum(_free(kernel, n) for n in nodes)
        return Slab(name, cache.object_size, max(active, 0), total, slabs * kernel.memory.page_size << order)
    except OopscopeError as e:
        kernel.problems.lost("slabs", name)(e)
        return Slab(name, cache.object_size, None, None, None)


@once
def all_slabs(kernel: Kernel) -> list[Slab]:
    """Return the slab caches, in the kernel's order."""
    bound, lost = kernel.bind(CACHE), kernel.problems.broken("slabs", "cache list")
    walk = for_each_list(kernel.memory, kernel.symbol("slab_caches"), bound.offset("link"), lost, MAX_CACHES)
    found = []
    for cache in bound.rows(walk, lost):
        try:
            found.append(_slab(kernel, cache))
        except OopscopeError as e:
            lost(e)
    return found
