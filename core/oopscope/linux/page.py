"""What an address of the map of all memory lies in: a page of which kind, an object of which slab cache.

Follows mm/{slab.h,slub.c}; what a struct page says of itself is page_types' business.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel, per_cpu_offsets
from oopscope.kernel.walk import for_each_list
from oopscope.linux.page_types import PAGE, head_of, page_types
from oopscope.structs.plan import Plan

MAX_OBJECTS = 1 << 15  # of a slab: what the kernel's 15 bits hold
MAX_SHEAVES = 1024
MAX_KNOWN = 512  # slabs whose free objects are remembered
MAX_SHEAF = 1024
MAX_NODES = 1024


class SlabStruct(NamedTuple):
    """struct slab, struct page before 5.17, which has the members of SLUB and of SLAB alike.

    `objects` is SLUB's, `s_mem` and `active` are SLAB's. d122019bf061 "mm: Split slab into its own type".
    """

    address: int
    slab_cache: int
    freelist: int
    objects: int | None
    s_mem: int | None
    active: int | None


class CacheStruct(NamedTuple):
    """struct kmem_cache, as far as its objects' places go; that of CONFIG_SLAB has `num`, how many a slab has."""

    address: int
    name: int
    size: int
    object_size: int
    offset: int | None
    num: int | None
    random: int | None
    red_left_pad: int | None
    cpu_slab: int | None
    cpu_sheaves: int | None


SLAB = Plan(("slab", "page"), SlabStruct)
CACHE = Plan("kmem_cache", CacheStruct)


class Page(NamedTuple):
    """One page: its head's struct page, and of which kind it is; `owner` is the address_space of a cached page."""

    head: int
    kind: str
    owner: int = 0


class SlabObject(NamedTuple):
    """The object of a slab that an address lies in; `free` None where its lists could not be read."""

    cache: str
    base: int
    size: int
    free: bool | None
    stride: int  # bytes from an object to the next


def page_of(kernel: Kernel, struct_page: int) -> Page:
    """Say of which kind the page of a struct page is."""
    bound, types = kernel.bind(PAGE), kernel.cached(page_types)
    page = bound.row(struct_page)
    head = head_of(struct_page, page)
    if head != struct_page:
        page = bound.row(head)
    kind = types.kind(head, page)
    if not page.refcount and kind in ("anonymous", "cache", "other kernel") and types.of_type(page) is None:
        return Page(head, "free")
    return Page(head, kind, page.mapping if kind == "cache" else 0)


def object_at(kernel: Kernel, slab_address: int, memory: int, address: int) -> SlabObject | None:
    """Return the object of a slab, whose memory begins at `memory`, that an address lies in."""
    slab = kernel.bind(SLAB).row(slab_address)
    cache = kernel.bind(CACHE).row(slab.slab_cache)
    places = objects_of(slab, cache, memory)
    index = (address - places.start) // cache.size
    name = kernel.memory.text(cache.name, 128)
    if not 0 <= index < len(places):
        return SlabObject(name, 0, cache.object_size, None, cache.size)
    base = places[index] + (cache.red_left_pad or 0)
    try:
        free: bool | None = base in _known_free(kernel, slab, cache, places)
    except OopscopeError:
        free = None
    if cache.num is not None and not free:  # a CPU's array may have it, where it is free for that CPU
        free = None
    return SlabObject(name, base, cache.object_size, free, cache.size)


def objects_of(slab: SlabStruct, cache: CacheStruct, memory: int) -> range:
    """Return where the objects of a slab begin, whose memory is mapped at `memory`; Implausible."""
    count = slab.objects if cache.num is None else cache.num
    if count is None or not 0 < cache.size <= 1 << 24 or not 0 < count <= MAX_OBJECTS:
        raise Implausible("a slab of no plausible size", slab.address)
    first = memory if cache.num is None else slab.s_mem or 0  # not always the first byte: SLAB colours its slabs
    return range(first, first + count * cache.size, cache.size)


def _known_free(kernel: Kernel, slab: SlabStruct, cache: CacheStruct, places: range) -> set[int]:
    known = kernel.cached(_known)
    if slab.address not in known:
        if len(known) >= MAX_KNOWN:
            known.clear()
        known[slab.address] = set(free_objects(kernel, slab, cache, places))
    return known[slab.address]


def _known(kernel: Kernel) -> dict[int, set[int]]:
    return {}


def free_objects(kernel: Kernel, slab: SlabStruct, cache: CacheStruct, places: range) -> Iterator[int]:
    """Yield the objects of a slab that are free: in its own list, its CPU's, or a store of free objects.

    CONFIG_SLAB's CPUs keep free objects in arrays, which are not looked through.
    """
    if cache.num is not None:
        yield from _free_by_number(kernel, slab, slab.active or 0, places)
        return
    memory = range(places.start, places.stop)
    yield from _freelist(kernel, cache, slab.freelist, memory)
    for offset in kernel.cached(per_cpu_offsets):
        if cache.cpu_slab:
            yield from _of_cpu(kernel, slab, cache, (cache.cpu_slab + offset) % kernel.memory.top, memory)
        if cache.cpu_sheaves:
            at = (cache.cpu_sheaves + offset) % kernel.memory.top
            for member in ("main", "spare"):
                place = kernel.types.member("slub_percpu_sheaves", member).offset
                yield from (one for one in _sheaf(kernel, kernel.memory.word(at + place)) if one in memory)
    if cache.cpu_sheaves:
        for sheaf in islice(_full_sheaves(kernel, cache.address), MAX_SHEAVES):
            yield from (one for one in _sheaf(kernel, sheaf) if one in memory)


def _full_sheaves(kernel: Kernel, cache: int) -> Iterator[int]:
    """Yield the sheaves that the nodes keep for CPUs that run out."""
    for barn in _barns(kernel, cache):
        full = barn + kernel.types.member("node_barn", "sheaves_full").offset
        yield from for_each_list(kernel.memory, full, kernel.types.member("slab_sheaf", "barn_list").offset)


def _barns(kernel: Kernel, cache: int) -> Iterator[int]:
    """Yield the nodes' stores of full sheaves: beside the node's pointer, or in the node.

    5ba6bc27b1f9 "slab: decouple pointer to barn from kmem_cache_node", 7.1.
    """
    types, memory = kernel.types, kernel.memory
    ids = kernel.find_symbol("nr_node_ids")
    count = min(memory.u32(ids), MAX_NODES) if ids else 1
    split = types.has_member("kmem_cache", "per_node")
    at = cache + types.member("kmem_cache", "per_node" if split else "node").offset
    stride = types.sizeof("kmem_cache_per_node_ptrs") if split else memory.word_size
    where = types.member("kmem_cache_per_node_ptrs" if split else "kmem_cache_node", "barn").offset
    for number in range(count):
        place = at + number * stride if split else memory.word(at + number * stride)
        barn = memory.word(place + where) if place else 0
        if barn:
            yield barn


def _free_by_number(kernel: Kernel, slab: SlabStruct, active: int, places: range) -> Iterator[int]:
    """Yield what CONFIG_SLAB's list has behind the first `active`: numbers of objects, each a freelist_idx_t."""
    size, count = kernel.types.sizeof("freelist_idx_t"), len(places) - active
    if active < 0 or count <= 0 or not slab.freelist:
        return
    raw = kernel.memory.read(slab.freelist + active * size, count * size)
    numbers = (int.from_bytes(raw[at : at + size], kernel.arch.byteorder) for at in range(0, len(raw), size))
    yield from (places[number] for number in numbers if number < len(places))


def _freelist(kernel: Kernel, cache: CacheStruct, first: int, memory: range) -> Iterator[int]:
    """Follow a list of free objects of a slab; CONFIG_SLAB_FREELIST_HARDENED hides pointers by the cache's number."""
    seen: set[int] = set()
    while first in memory and first not in seen:
        seen.add(first)
        yield first
        at = first + (cache.offset or 0)
        first = kernel.memory.word(at)
        if cache.random is not None:
            # swab(): 1ad53d9fa3f6 "slub: improve bit diffusion for freelist ptr obfuscation", 5.7
            first ^= cache.random ^ int.from_bytes(at.to_bytes(kernel.memory.word_size, "little"), "big")


def _of_cpu(kernel: Kernel, slab: SlabStruct, cache: CacheStruct, at: int, memory: range) -> Iterator[int]:
    """Yield the free objects of the slab that a CPU allocates from, if it is this one (to 6.19)."""
    types, word = kernel.types, kernel.memory.word
    own = "slab" if types.has_member("kmem_cache_cpu", "slab") else "page"
    if word(at + types.member("kmem_cache_cpu", own).offset) == slab.address:
        first = word(at + types.member("kmem_cache_cpu", "freelist").offset)
        yield from _freelist(kernel, cache, first, memory)


def _sheaf(kernel: Kernel, sheaf: int) -> tuple[int, ...]:
    """Return the free objects of a sheaf: a store of a CPU's, of all slabs of a cache (6.18)."""
    if not sheaf:
        return ()
    size = kernel.memory.u32(sheaf + kernel.types.member("slab_sheaf", "size").offset)
    if size > MAX_SHEAF:
        raise Implausible(f"a sheaf of {size} objects", sheaf)
    return kernel.memory.words(sheaf + kernel.types.member("slab_sheaf", "objects").offset, size) if size else ()
