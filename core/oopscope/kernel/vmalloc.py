"""Which area of vmalloc an address lies in, found in the kernel's own trees.

Follows mm/vmalloc.c: one tree, vmap_area_root, up to 6.8; since d093602919ad (6.9) a table of nodes with a tree each.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Absent
from oopscope.kernel.kernel import Kernel
from oopscope.structs.plan import Plan

MAX_DEPTH = 128
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


def area_at(kernel: Kernel, address: int) -> Area | None:
    """Return the area that an address lies in; None where there is none."""
    bound = kernel.bind(AREA)
    node = kernel.types.member("vmap_area", "rb_node").offset
    for root in kernel.cached(_roots):
        at = kernel.memory.word(root)
        for _ in range(MAX_DEPTH):
            if not at:
                break
            area = bound.row(at - node)
            if area.va_start <= address < area.va_end:
                caller = kernel.bind(VM).row(area.vm).caller if area.vm else 0
                return Area(area.va_start, area.va_end, caller)
            right = kernel.memory.word_size  # struct rb_node: parent and colour, right, left
            at = kernel.memory.word(at + (right if address >= area.va_end else 2 * right))
    return None


def _roots(kernel: Kernel) -> list[int]:
    return list(_find_roots(kernel))


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
