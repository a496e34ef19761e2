"""Slab caches as /proc/slabinfo lists them. Follows mm/slab_common.c, mm/slub.c and (CONFIG_SLAB, up to 6.7) mm/slab.c.

CONFIG_SLUB_TINY (6.2) keeps no counts: of its caches only names and sizes are told.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.structs.plan import Plan

Lost = Callable[[OopscopeError], None]
Note = Callable[[str, OopscopeError], None]  # a cache's name, and what befell it
MAX_CACHES = 16384
MAX_PARTIAL = 10_000  # mm/slub.c's own limit for counting (MAX_PARTIAL_TO_SCAN)
MAX_NODES = 1024
MAX_ORDER = 12


class CacheStruct(NamedTuple):
    """struct kmem_cache: `oo` is SLUB's (pages and objects of a slab), `num` and `gfporder` are SLAB's."""

    address: int
    name: int
    object_size: int
    size: int
    oo: int | None
    num: int | None
    gfporder: int | None
    link: int


class NodeStruct(NamedTuple):
    """struct kmem_cache_node; the totals are kept with CONFIG_SLUB_DEBUG."""

    nr_partial: int
    nr_slabs: int | None
    total_objects: int | None
    partial: int


class SlabNodeStruct(NamedTuple):
    """struct kmem_cache_node of CONFIG_SLAB: its slabs counted, else by its lists.

    bf00bd345804 "mm, slab: maintain total slab count instead of active count", 4.10.
    """

    total_slabs: int | None
    free_objects: int
    slabs_partial: int
    slabs_full: int
    slabs_free: int


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
SLAB_NODE = Plan(
    "kmem_cache_node",
    SlabNodeStruct,
    slabs_partial="&slabs_partial",
    slabs_full="&slabs_full",
    slabs_free="&slabs_free",
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
    except Absent:  # 5ba6bc27b1f9 "slab: decouple pointer to barn from kmem_cache_node", 7.1
        array = types.member("kmem_cache", "per_node")
        stride = types.sizeof("kmem_cache_per_node_ptrs")
        inner = types.member("kmem_cache_per_node_ptrs", "node").offset
    for i in range(count):
        node = memory.word(cache + array.offset + i * stride + inner)
        if node:
            yield node


def _free(kernel: Kernel, node: NodeStruct, lost: Lost) -> int:
    """Count the free objects of a node's partial slabs; beyond MAX_PARTIAL the rest is reckoned, as the kernel does."""
    bound = kernel.bind(SLAB)
    try:
        link = kernel.types.member(bound.struct, "slab_list").offset
    except Absent:
        link = kernel.types.member(bound.struct, "lru").offset
    walk = islice(for_each_list(kernel.memory, node.partial, link, lost), MAX_PARTIAL)
    free = counted = 0
    for slab in bound.rows(walk, lost):
        free, counted = free + slab.objects - slab.inuse, counted + 1
    return free * node.nr_partial // counted if counted >= MAX_PARTIAL else free


def _slab(kernel: Kernel, cache: CacheStruct, broken: Note, holes: Note) -> Slab:
    name = kernel.memory.text(cache.name, 256)
    if cache.oo is None:
        return _slab_of_slab(kernel, cache, name, broken)
    order = cache.oo >> 16
    try:
        nodes = [kernel.bind(NODE).row(n) for n in _nodes(kernel, cache.address)]
        if any(n.total_objects is None or n.nr_slabs is None for n in nodes) or order > MAX_ORDER:
            return Slab(name, cache.object_size, None, None, None)
        total = sum(n.total_objects or 0 for n in nodes)
        slabs = sum(n.nr_slabs or 0 for n in nodes)
        lost = list[OopscopeError]()
        free = sum(_free(kernel, n, lost.append) for n in nodes)
        if lost:  # then there is more that is free
            holes(name, lost[0])
        active = None if lost else max(total - free, 0)
        return Slab(name, cache.object_size, active, total, slabs * kernel.memory.page_size << order)
    except OopscopeError as e:
        broken(name, e)
        return Slab(name, cache.object_size, None, None, None)


def _slab_of_slab(kernel: Kernel, cache: CacheStruct, name: str, broken: Note) -> Slab:
    """Count a cache of CONFIG_SLAB as its get_slabinfo() does: objects in the CPUs' own arrays are in use."""
    order, num = cache.gfporder, cache.num
    try:
        if order is None or num is None or not 0 <= order <= MAX_ORDER:
            return Slab(name, cache.object_size, None, None, None)
        nodes = [kernel.bind(SLAB_NODE).row(n) for n in _nodes(kernel, cache.address)]
        slabs = sum(_slabs_of_node(kernel, n) for n in nodes)
        active = slabs * num - sum(n.free_objects for n in nodes)
        return Slab(name, cache.object_size, max(active, 0), slabs * num, slabs * kernel.memory.page_size << order)
    except OopscopeError as e:
        broken(name, e)
        return Slab(name, cache.object_size, None, None, None)


def _slabs_of_node(kernel: Kernel, node: SlabNodeStruct) -> int:
    """Return how many slabs a node of CONFIG_SLAB has; a broken list is an error, for its count would be none."""
    if node.total_slabs is not None:
        return node.total_slabs
    heads = (node.slabs_partial, node.slabs_full, node.slabs_free)
    return sum(1 for head in heads for _ in for_each_list(kernel.memory, head))


def slab_addresses(kernel: Kernel) -> dict[int, str]:
    """Return the name of each struct kmem_cache by its address."""
    bound, found = kernel.bind(CACHE), dict[int, str]()
    walk = for_each_list(
        kernel.memory, kernel.symbol("slab_caches"), bound.offset("link"), lambda _error: None, MAX_CACHES
    )
    for cache in bound.rows(walk, lambda _error: None):
        try:
            found[cache.address] = kernel.memory.text(cache.name, 256)
        except OopscopeError:
            continue
    return found


@once
def all_slabs(kernel: Kernel) -> list[Slab]:
    """Return the slab caches, in the kernel's order."""
    bound, lost = kernel.bind(CACHE), kernel.problems.broken("slabs", "cache list")
    walk = for_each_list(kernel.memory, kernel.symbol("slab_caches"), bound.offset("link"), lost, MAX_CACHES)
    found = []
    counted = kernel.problems.counted
    with counted("slabs", "caches") as broken, counted("slabs", "partial slabs") as holes:
        for cache in bound.rows(walk, lost):
            try:
                found.append(_slab(kernel, cache, broken, holes))
            except OopscopeError as e:
                lost(e)
    if found and bound.has("oo") and not kernel.bind(NODE).has("total_objects"):
        kernel.problems.add("slabs", "this kernel (without CONFIG_SLUB_DEBUG) counts no objects of its caches")
    return found
