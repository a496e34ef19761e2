"""How the machine's memory divides: shares that do not overlap and add up to MemTotal, each with where it was counted.

What /proc/meminfo counts overlaps (tmpfs is in Cached, kernel stacks are in VmallocUsed). Follows fs/proc/meminfo.c,
mm/vmalloc.c and mm/hugetlb.c. Swap, as another kind of memory, is not among them.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.meminfo import Stats, all_counters
from oopscope.linux.mm import pages_of
from oopscope.structs.plan import Plan

MAX_HSTATES = 16
MAX_ORDER = 32


class HstateStruct(NamedTuple):
    """struct hstate: huge pages of one size."""

    order: int
    nr_huge_pages: int


HSTATE = Plan("hstate", HstateStruct)


class Share(NamedTuple):
    """One share; bytes is None where it cannot be read, source the counter that it is mostly of."""

    name: str
    bytes: int | None
    source: str = ""


class Shares(NamedTuple):
    """All shares, the rest last; `over` is by how much the counters exceed the total, 0 where they do not."""

    total: int
    shares: tuple[Share, ...]
    over: int


def memory_shares(kernel: Kernel, _key: object = None) -> Shares:
    """Return the shares of all memory that the kernel manages; Absent without a total."""
    counters = {one.name: one.bytes for one in all_counters(kernel)}
    total = counters.get("MemTotal")
    if not total:
        raise Absent("the total is not known")

    def less(name: str, *others: str) -> int | None:
        value = counters.get(name)
        return None if value is None else max(value - sum(counters.get(other) or 0 for other in others), 0)

    cache = less("Cached", "Shmem")
    shares = [
        Share("Free", counters.get("MemFree"), "MemFree"),
        Share("File cache", None if cache is None else cache + (counters.get("Buffers") or 0), "Cached"),
        Share("Shared, tmpfs", counters.get("Shmem"), "Shmem"),
        Share("Anonymous", counters.get("AnonPages"), "AnonPages"),
        *_huge(kernel),
        Share("Slab, reclaim.", counters.get("SReclaimable"), "SReclaimable"),
        Share("Slab, not recl.", counters.get("SUnreclaim"), "SUnreclaim"),
        Share("Kernel stacks", counters.get("KernelStack"), "KernelStack"),
        Share("Page tables", counters.get("PageTables"), "PageTables"),
        Share("Vmalloc", _tried(lambda: _vmalloc(kernel, counters.get("KernelStack") or 0))),
    ]
    rest = total - sum(share.bytes or 0 for share in shares)
    return Shares(total, (*shares, Share("Other kernel", max(rest, 0))), max(-rest, 0))


def _tried(read: Callable[[], int]) -> int | None:
    try:
        return read()
    except OopscopeError:
        return None


def _huge(kernel: Kernel) -> Iterator[Share]:
    """The pool of huge pages, where there is one."""
    pool = _tried(lambda: _pool(kernel))
    if pool:
        yield Share("Huge pages", pool)


def _pool(kernel: Kernel) -> int:
    count = kernel.memory.u32(kernel.symbol("hugetlb_max_hstate"))
    bound, first = kernel.bind(HSTATE), kernel.symbol("hstates")
    rows = bound.rows(first + at * bound.size for at in range(min(count, MAX_HSTATES)))
    return sum(row.nr_huge_pages * kernel.memory.page_size << min(row.order, MAX_ORDER) for row in rows)


def _vmalloc(kernel: Kernel, stacks: int) -> int:
    """Memory of vmalloc() less the kernel stacks, which are its own where CONFIG_VMAP_STACK (4.9) is set."""
    try:
        pages = Stats(kernel)["NR_VMALLOC"]  # a counter of the nodes by 7.2
    except Absent:
        pages = kernel.memory.word(kernel.symbol("nr_vmalloc_pages"))
    used = pages * kernel.memory.page_size
    return max(used - (stacks if kernel.types.has_member("task_struct", "stack_vm_area") else 0), 0)


def swapped(kernel: Kernel, tasks: tuple[int, ...]) -> dict[int, int]:
    """Return how many bytes of each task (by its struct's address) are in swap; those unreadable are left out."""
    found = {}
    at = kernel.types.member("task_struct", "mm").offset
    for address in tasks:
        try:
            mm = kernel.memory.word(address + at)
            found[address] = pages_of(kernel, mm).swap * kernel.memory.page_size if mm else 0
        except OopscopeError:
            continue
    return found
