"""The page allocator's free lists: blocks of each size by zone, and of which kind (/proc/buddyinfo, pagetypeinfo).

Follows include/linux/mmzone.h and mm/page_alloc.c. How many blocks there are of a size each free_area says; of which
migrate type only its lists tell, which are walked as far as that is cheap, and must come to the same number.
"""

from typing import NamedTuple

from oopscope.errors import Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.zone import node_structs
from oopscope.structs.plan import Plan

MAX_ZONES = 16
MAX_WALKED = 20_000  # blocks of all lists together
MAX_ORDERS = 32
MAX_NAME = 32


class ZoneStruct(NamedTuple):
    """struct zone."""

    name: int
    managed: int
    free_area: int


class FreeArea(NamedTuple):
    """struct free_area."""

    nr_free: int


ZONE = Plan("zone", ZoneStruct, managed=("managed_pages.counter", "managed_pages"), free_area="&free_area")
FREE_AREA = Plan("free_area", FreeArea)


class FreeList(NamedTuple):
    """The free blocks of one size in one zone."""

    node: int
    zone: str
    order: int
    block: int  # bytes of one
    blocks: int
    bytes: int
    types: tuple[str, ...] | None  # how many of each migrate type; None where they were not counted


class _Lists:
    """The lists of one kernel, walked within a budget."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.memory = kernel, kernel.memory
        self.names = self._names()
        self.heads = kernel.types.member("free_area", "free_list")
        self.link = kernel.types.member("page", "lru").offset
        self.left = MAX_WALKED

    def _names(self) -> list[str]:
        """Return what the kernel calls its migrate types."""
        table, count = self.kernel.find_symbol("migratetype_names"), self.kernel.types.enum("migratetype")
        size = count.get("MIGRATE_TYPES", 0)
        if table is None:
            return [f"type {number}" for number in range(size)]
        pointers = self.memory.words(table, size)
        return [self.memory.text(at, MAX_NAME) for at in pointers]

    def types(self, area: int, blocks: int) -> tuple[str, ...] | None:
        """Count the blocks of each type; None for more than the budget has, or a list that cannot be followed."""
        if blocks > self.left:
            return None
        self.left -= blocks
        found, total = [], 0
        try:
            for number, name in enumerate(self.names[: self.heads.count]):
                head = area + self.heads.offset + number * 2 * self.memory.word_size
                count = sum(1 for _ in for_each_list(self.memory, head, self.link, None, blocks + 1))
                total += count
                found += [f"{name} {count}"] if count else []
        except OopscopeError:
            return None
        if total != blocks:
            text = f"{total} blocks on the lists of what counts {blocks}"
            self.kernel.problems.add("freelists", text, area)
            return None
        return tuple(found)


@once
def free_lists(kernel: Kernel) -> list[FreeList]:
    """Return the free lists, node by node and zone by zone, the smallest blocks first."""
    lists, zones = _Lists(kernel), kernel.types.member("pglist_data", "node_zones")
    bound, areas = kernel.bind(ZONE), kernel.bind(FREE_AREA)
    orders = kernel.types.member("zone", "free_area").count
    found = []
    for node, base in node_structs(kernel):
        for number in range(min(zones.count, MAX_ZONES)):
            try:
                zone = bound.row(base + zones.offset + number * bound.size)
                if zone.managed:
                    found += _of_zone(lists, node, zone, areas.size, min(orders, MAX_ORDERS))
            except OopscopeError as e:
                kernel.problems.lost("freelists", f"node {node}, zone {number}")(e)
    return found


def _of_zone(lists: _Lists, node: int, zone: ZoneStruct, size: int, orders: int) -> list[FreeList]:
    name = lists.memory.text(zone.name, MAX_NAME)
    areas, found = lists.kernel.bind(FREE_AREA), []
    for order in range(orders):
        area = zone.free_area + order * size
        blocks, block = areas.row(area).nr_free, lists.memory.page_size << order
        if blocks << order > zone.managed:
            raise Implausible(f"{blocks} free blocks of order {order} in a zone of {zone.managed} pages", area)
        found.append(FreeList(node, name, order, block, blocks, blocks * block, lists.types(area, blocks)))
    return found
