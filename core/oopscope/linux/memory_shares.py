"""How the machine's memory divides: shares that do not overlap and add up to MemTotal, each with where it was counted.

What /proc/meminfo counts overlaps: Cached holds Shmem; AnonPages holds most of SwapCached; VmallocUsed holds
KernelStack; Percpu holds what was reserved at boot and is no part of MemTotal. And it lacks the free pages on the
CPUs' own lists. Follows fs/proc/meminfo.c, mm/vmalloc.c, mm/percpu.c, mm/hugetlb.c and mm/show_mem.c. Swap, as another
kind of memory, is not among them.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from oopscope.errors import Absent, Implausible, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.linux.huge_pages import huge_pages
from oopscope.linux.meminfo import Stats, all_counters
from oopscope.linux.mm import pages_of
from oopscope.linux.zone import pages_on_cpu_lists
from oopscope.structs.plan import Plan

# Counters of pages that belong to no other share; a share that is empty, or that a kernel lacks, is not named.
APART = (
    ("Compressed swap", "NR_ZSPAGES"),  # zsmalloc: zswap, zram
    ("Drivers' caches", "NR_KERNEL_MISC_RECLAIMABLE"),
)


class ChunkStruct(NamedTuple):
    """struct pcpu_chunk: a stretch of the per-CPU allocator's memory, in pages of one CPU's part."""

    base_addr: int
    nr_pages: int


CHUNK = Plan("pcpu_chunk", ChunkStruct)


class Share(NamedTuple):
    """One share; bytes is None where it cannot be read, counter the line of /proc/meminfo that it is mostly of."""

    name: str
    bytes: int | None
    counter: str = ""


class Shares(NamedTuple):
    """All shares, the rest last; `over` is by how much the counters exceed the total, 0 where they do not."""

    total: int
    shares: tuple[Share, ...]
    over: int


def memory_shares(kernel: Kernel, _key: object = None) -> Shares:
    """Return the shares of all memory that the kernel manages; Absent without a total.

    A share that cannot be read is None, and what it would have been stands in the rest; where that is so of most
    shares, the rest is not known either.
    """
    counters = {one.name: one.bytes for one in all_counters(kernel)}
    total = counters.get("MemTotal")
    if not total:
        raise Absent("the total is not known")
    shares = [*_lines(kernel, counters), *_kernel_memory(kernel, counters)]
    if 2 * sum(share.bytes is None for share in shares) > len(shares):
        return Shares(total, (*shares, Share("Other kernel", None)), 0)
    rest = total - sum(share.bytes or 0 for share in shares)
    return Shares(total, (*shares, Share("Other kernel", max(rest, 0))), max(-rest, 0))


Counters = dict[str, int | None]


def _lines(kernel: Kernel, counters: Counters) -> Iterator[Share]:
    """Free pages, and what programs and files have."""
    page = kernel.memory.page_size
    yield Share("Free", counters.get("MemFree"), "MemFree")
    yield Share("Free, per CPU", _tried(lambda: pages_on_cpu_lists(kernel) * page))
    cached, shmem = counters.get("Cached"), counters.get("Shmem")
    cache = None if cached is None else max(cached - (shmem or 0), 0) + (counters.get("Buffers") or 0)
    yield Share("File cache", cache, "Cached")
    yield Share("Shared, tmpfs", shmem, "Shmem")
    yield Share("Anonymous", counters.get("AnonPages"), "AnonPages")
    swap_cache = _unmapped_swap_cache(counters)
    if swap_cache:
        yield Share("Swap cache", swap_cache, "SwapCached")
    pool = _tried(lambda: _huge_pages(kernel))
    if pool:
        yield Share("Huge pages", pool)


def _kernel_memory(kernel: Kernel, counters: Counters) -> Iterator[Share]:
    """What the kernel has for itself, as far as it counts it."""
    page, stacks, tables = kernel.memory.page_size, counters.get("KernelStack"), counters.get("PageTables")
    yield Share("Reclaimable slab", counters.get("SReclaimable"), "SReclaimable")
    yield Share("Unreclaimable slab", counters.get("SUnreclaim"), "SUnreclaim")
    yield Share("Kernel stacks", stacks, "KernelStack")
    # ebc97a52b5d6 "mm: add NR_SECONDARY_PAGETABLE to count secondary page table uses.", 6.1: KVM's, later the IOMMUs'
    # too
    secondary = _counter(kernel, "NR_SECONDARY_PAGETABLE")
    yield Share("Page tables", None if tables is None else tables + secondary * page, "PageTables")
    yield Share("Vmalloc", _tried(lambda: _vmalloc(kernel, stacks or 0)), "VmallocUsed")
    yield Share("Per-CPU", _tried(lambda: _per_cpu(kernel)), "Percpu")
    for name, counter in APART:
        pages = _counter(kernel, counter)
        if pages:
            yield Share(name, pages * page)


def _tried(read: Callable[[], int]) -> int | None:
    try:
        return read()
    except OopscopeError:
        return None


def _counter(kernel: Kernel, name: str) -> int:
    """A counter that many kernels lack, in pages; 0 where it is absent or unreadable."""
    return _tried(lambda: Stats(kernel)[name]) or 0


def _unmapped_swap_cache(counters: Counters) -> int:
    """What of SwapCached AnonPages lacks, at the least: as much as the lists of anonymous pages hold beyond it.

    Pages that are in swap and mapped count in both; locked pages are on another list, so this is never too much.
    """
    listed = sum(counters.get(name) or 0 for name in ("Active(anon)", "Inactive(anon)"))
    known = sum(counters.get(name) or 0 for name in ("AnonPages", "Shmem"))
    return min(max(listed - known, 0), counters.get("SwapCached") or 0)


def _huge_pages(kernel: Kernel) -> int:
    """The pools of huge pages, used or not: they are in no other counter."""
    return sum(pool.total * pool.bytes for pool in huge_pages(kernel))


def _vmalloc(kernel: Kernel, stacks: int) -> int:
    """Memory of vmalloc() less the kernel stacks, which are its own where CONFIG_VMAP_STACK (4.9) is set."""
    try:
        pages = Stats(kernel)["NR_VMALLOC"]  # a counter of the nodes by 7.2
    except Absent:
        pages = kernel.memory.word(kernel.symbol("nr_vmalloc_pages"))
    used = pages * kernel.memory.page_size
    return max(used - (stacks if kernel.types.has_member("task_struct", "stack_vm_area") else 0), 0)


def _per_cpu(kernel: Kernel) -> int:
    """Memory of alloc_percpu() less its first chunk, which holds the static variables and was reserved at boot."""
    memory, first = kernel.memory, kernel.memory.word(kernel.symbol("pcpu_first_chunk"))
    populated = memory.word(kernel.symbol("pcpu_nr_populated"))
    chunk = kernel.bind(CHUNK).row(first)
    before = (chunk.base_addr - memory.word(kernel.symbol("pcpu_base_addr"))) // memory.page_size
    later = populated - before - chunk.nr_pages
    if not 0 <= later < 1 << 40 or before < 0:
        raise Implausible(f"{populated} pages of per-CPU memory, {before + chunk.nr_pages} at boot", first)
    return later * memory.u32(kernel.symbol("pcpu_nr_units")) * memory.page_size


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
