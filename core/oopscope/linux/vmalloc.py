"""Which area of vmalloc an address lies in, found in the kernel's own trees.

Follows mm/vmalloc.c: one tree, vmap_area_root, up to 6.8; since d093602919ad "mm: vmalloc: remove global vmap_area_root
rb-tree" (6.9) a table of nodes with a tree each.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_rbtree
from oopscope.structs.plan import Plan

MAX_AREAS = 1 << 19
MAX_NODES = 1024


class AreaStruct(NamedTuple):
    """struct vmap_area."""

    address: int
    va_start: int
    va_end: int
    vm: int


class VmStruct(NamedTuple):
    """struct vm_struct."""

    addr: int
    size: int
    caller: int


AREA = Plan("vmap_area", AreaStruct)
VM = Plan("vm_struct", VmStruct)


class Area(NamedTuple):
    """An area: its first address and the one after its last, guard page included, and the code that asked for it."""

    start: int
    end: int
    caller: int


class AreaMap:
    """All areas by address."""

    def __init__(self, areas: Iterable[AreaStruct], whole: bool = True) -> None:
        self.areas = sorted(areas, key=lambda area: area.va_start)
        self.whole = whole  # whether these are all that the kernel has
        self._starts = [area.va_start for area in self.areas]

    def at(self, address: int) -> AreaStruct | None:
        """Return the area that an address lies in."""
        at = bisect_right(self._starts, address) - 1
        return self.areas[at] if at >= 0 and address < self.areas[at].va_end else None


def area_map(kernel: Kernel) -> AreaMap:
    """Return the areas of all trees, as far as they can be read."""
    bound, node = kernel.bind(AREA), kernel.types.member("vmap_area", "rb_node").offset
    note, broken = kernel.problems.lost("memory", "areas of vmalloc"), list[OopscopeError]()

    def lost(error: OopscopeError) -> None:
        broken.append(error)
        note(error)

    nodes = chain.from_iterable(for_each_rbtree(kernel.memory, root, node, lost) for root in _find_roots(kernel))
    areas = list(bound.rows(islice(nodes, MAX_AREAS + 1), lost))
    if len(areas) > MAX_AREAS:
        lost(Implausible(f"there are more than {MAX_AREAS}: the others are not listed"))
    return AreaMap(areas[:MAX_AREAS], not broken)


def area_at(kernel: Kernel, address: int) -> Area | None:
    """Return the area that an address lies in; None where there is none."""
    found = kernel.cached(area_map).at(address)
    if found is None:
        return None
    try:
        caller = kernel.bind(VM).row(found.vm).caller if found.vm else 0
    except OopscopeError:
        caller = 0
    return Area(found.va_start, found.va_end, caller)


def _find_roots(kernel: Kernel) -> Iterator[int]:
    root = kernel.find_symbol("vmap_area_root")
    if root is not None:
        yield root
        return
    nodes, count = kernel.find_symbol("vmap_nodes"), kernel.find_symbol("nr_vmap_nodes")
    if nodes is None or count is None:
        return
    try:
        busy = kernel.types.member("vmap_node", "busy.root").offset
    except Absent:
        return
    size, first = kernel.types.sizeof("vmap_node"), kernel.memory.word(nodes)
    for number in range(min(kernel.memory.u32(count), MAX_NODES)):
        yield first + number * size + busy
