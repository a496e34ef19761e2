"""Memory totals under the names of /proc/meminfo. Follows fs/proc/meminfo.c and mm/show_mem.c.

Counters are the kernel's global ones, without the CPUs' pending differences, as /proc/meminfo shows them. Their
places come from the enumerations zone_stat_item and node_stat_item, which change in nearly every release.
"""

from collections.abc import Callable
from typing import NamedTuple

from oopscope.errors import Absent, Implausible, NoSymbol, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.kernel.walk import for_each_list
from oopscope.linux.huge_pages import default_pool, huge_pages
from oopscope.linux.percpu_counter import percpu_sum
from oopscope.linux.system import memory_bytes
from oopscope.linux.zone import all_zones, node_structs
from oopscope.structs.plan import Plan

MAX_INODES = 4096


class Counter(NamedTuple):
    """One line of /proc/meminfo."""

    name: str
    bytes: int | None


class Stats:
    """The kernel's global page counters, by the names of its enumerations."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._values: dict[str, int] = {}
        for enum, table in (("zone_stat_item", "vm_zone_stat"), ("node_stat_item", "vm_node_stat")):
            items = {n: v for n, v in kernel.types.enum(enum).items() if 0 <= v < 256}
            words = kernel.memory.words(kernel.symbol(table), max(items.values()))
            self._values.update({n: kernel.memory.signed(words[v]) for n, v in items.items() if v < len(words)})

    def __getitem__(self, name: str) -> int:
        """Return a counter in its own unit, mostly pages; Absent where this kernel has none of that name."""
        try:
            return max(self._values[name], 0)
        except KeyError:
            raise Absent(f"this kernel has no counter {name}") from None

    def get(self, name: str) -> int:
        """Return a counter; 0 where this kernel has none of that name."""
        return self[name] if name in self._values else 0

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def any(self, *names: str) -> int:
        """Return the first of some counters that this kernel has."""
        return self[next((n for n in names if n in self._values), names[0])]


class Inode(NamedTuple):
    """An inode of the block devices' file system: how many pages it caches."""

    address: int
    nrpages: int


INODE = Plan("inode", Inode, nrpages="i_data.nrpages")


def _buffers(kernel: Kernel) -> int:
    """Pages cached of block devices themselves: the inodes of blockdev_superblock."""
    sb = kernel.memory.word(kernel.symbol("blockdev_superblock"))
    head = sb + kernel.types.member("super_block", "s_inodes").offset
    link = kernel.types.member("inode", "i_sb_list").offset
    lost = kernel.problems.lost("meminfo", "block devices")
    rows = kernel.bind(INODE).rows(for_each_list(kernel.memory, head, link, lost, MAX_INODES), lost)
    return sum(row.nrpages for row in rows)


def _available(kernel: Kernel, stats: Stats) -> int:
    """si_mem_available(): what a new program could take without swapping, in pages."""
    zones = all_zones(kernel)
    if not zones or any(zone.low is None for zone in zones) or any(one.section == "zones" for one in kernel.problems):
        raise Implausible("not all zones could be read", 0)
    low = sum(zone.low or 0 for zone in zones) // kernel.memory.page_size
    free = stats["NR_FREE_PAGES"] - _reserved(kernel)
    cache = stats["NR_ACTIVE_FILE"] + stats["NR_INACTIVE_FILE"]
    slab = stats.any("NR_SLAB_RECLAIMABLE_B", "NR_SLAB_RECLAIMABLE") + stats["NR_KERNEL_MISC_RECLAIMABLE"]
    return max(free + cache - min(cache // 2, low) + slab - min(slab // 2, low), 0)


def _reserved(kernel: Kernel) -> int:
    """Return totalreserve_pages; where nothing names it, the sum of what each node has of it (281e37265f21, 4.8)."""
    address = kernel.find_symbol("totalreserve_pages")
    if address is not None:
        return kernel.memory.word(address)
    offset = kernel.types.member("pglist_data", "totalreserve_pages").offset
    return sum(kernel.memory.word(node + offset) for _number, node in node_structs(kernel))


def _committed(kernel: Kernel) -> int:
    return percpu_sum(kernel, kernel.symbol("vm_committed_as"))


def _swap(kernel: Kernel, name: str) -> int:
    address = kernel.find_symbol(name)  # absent without CONFIG_SWAP
    return max(kernel.memory.signed(kernel.memory.word(address)), 0) if address else 0


def _swap_cached(stats: Stats) -> int:
    try:
        return stats["NR_SWAPCACHE"]  # b6038942480e "mm: memcg: add swapcache stat for memcg v2", 5.12
    except Absent:
        return 0


def _commit_limit(kernel: Kernel) -> int:
    """vm_commit_limit(): how much may be promised where overcommit_memory is 2."""
    memory = kernel.memory
    kilobytes = memory.word(kernel.symbol("sysctl_overcommit_kbytes"))
    if kilobytes:
        allowed = kilobytes * 1024 // memory.page_size
    else:
        total = memory_bytes(kernel) // memory.page_size - _in_huge_pages(kernel)
        allowed = total * memory.u32(kernel.symbol("sysctl_overcommit_ratio")) // 100
    return allowed + _swap(kernel, "total_swap_pages")


def _in_huge_pages(kernel: Kernel) -> int:
    """Return how many pages the pools of huge pages hold: none without CONFIG_HUGETLB_PAGE."""
    if kernel.find_symbol("hugetlb_max_hstate") is None and kernel.names_data:
        return 0
    return sum(pool.total * pool.bytes for pool in huge_pages(kernel)) // kernel.memory.page_size


def _vmalloc_used(kernel: Kernel, stats: Stats) -> int:
    try:
        return stats["NR_VMALLOC"]  # a counter of the nodes by 7.2
    except Absent:
        return kernel.memory.signed(kernel.memory.word(kernel.symbol("nr_vmalloc_pages")))


def _vmalloc_total(kernel: Kernel) -> int:
    space = kernel.machine.address_space(kernel)
    if space is None:
        raise Absent("this machine's area of vmalloc is not known here")
    return len(space.vmalloc) // kernel.memory.page_size


def _per_cpu(kernel: Kernel) -> int:
    """pcpu_nr_pages(): static variables and what is handed out."""
    memory = kernel.memory
    return memory.word(kernel.symbol("pcpu_nr_populated")) * memory.u32(kernel.symbol("pcpu_nr_units"))


def _thp(kernel: Kernel, stats: Stats, name: str) -> int:
    """Huge pages of transparent ones, in pages.

    Counted in huge ones before 5.11: bf9ecead53c8 "mm: memcontrol: convert NR_FILE_THPS account to pages" and the like.
    """
    kernel.symbol("transparent_hugepage_flags")  # without CONFIG_TRANSPARENT_HUGEPAGE there are no such lines
    found = stats[name]
    return found if "NR_SWAPCACHE" in stats else found * (kernel.memory.page_size // kernel.memory.word_size)


def _compressed(kernel: Kernel, symbol: str) -> int:
    """Pages of zswap; of what is stored the kernel counts pages, of the pool bytes (until 6.9) or nothing by itself."""
    stored = kernel.memory.word(kernel.symbol("zswap_stored_pages"))
    if symbol == "zswap_stored_pages" or not stored:
        return stored
    return kernel.memory.word(kernel.symbol(symbol)) // kernel.memory.page_size


def _cma(kernel: Kernel, name: str, stats: Stats) -> int:
    if "MIGRATE_CMA" not in kernel.types.enum("migratetype"):
        raise Absent("this kernel has no CONFIG_CMA")
    return stats["NR_FREE_CMA_PAGES"] if name == "CmaFree" else kernel.memory.word(kernel.symbol("totalcma_pages"))


def _huge(kernel: Kernel, member: str) -> int:
    """Pages of the pool of huge pages of the usual size."""
    pool = default_pool(kernel)
    count: int = getattr(pool, member)
    return count * pool.bytes // kernel.memory.page_size


def _direct(kernel: Kernel, level: str, pages: int) -> int:
    """Pages of the map of all memory that are mapped by pages of a size (direct_pages_count, of x86)."""
    index = kernel.types.enum("pg_level").get(level)
    if index is None:
        raise Absent(f"this kernel has no pages of {level}")
    return kernel.memory.word(kernel.symbol("direct_pages_count") + index * kernel.memory.word_size) * pages


RECLAIMABLE = ("NR_SLAB_RECLAIMABLE_B", "NR_SLAB_RECLAIMABLE")
UNRECLAIMABLE = ("NR_SLAB_UNRECLAIMABLE_B", "NR_SLAB_UNRECLAIMABLE")
# Each name of /proc/meminfo in the kernel's order, and how many pages it stands for.
LINES: dict[str, Callable[[Kernel, Stats], int]] = {
    "MemFree": lambda kernel, stats: stats["NR_FREE_PAGES"],
    "MemAvailable": _available,
    "Buffers": lambda kernel, stats: _buffers(kernel),
    "Cached": lambda kernel, stats: max(stats["NR_FILE_PAGES"] - _swap_cached(stats) - _buffers(kernel), 0),
    "SwapCached": lambda kernel, stats: _swap_cached(stats),
    "Active": lambda kernel, stats: stats["NR_ACTIVE_ANON"] + stats["NR_ACTIVE_FILE"],
    "Inactive": lambda kernel, stats: stats["NR_INACTIVE_ANON"] + stats["NR_INACTIVE_FILE"],
    "Active(anon)": lambda kernel, stats: stats["NR_ACTIVE_ANON"],
    "Inactive(anon)": lambda kernel, stats: stats["NR_INACTIVE_ANON"],
    "Active(file)": lambda kernel, stats: stats["NR_ACTIVE_FILE"],
    "Inactive(file)": lambda kernel, stats: stats["NR_INACTIVE_FILE"],
    "Unevictable": lambda kernel, stats: stats["NR_UNEVICTABLE"],
    "Mlocked": lambda kernel, stats: stats["NR_MLOCK"],
    "SwapTotal": lambda kernel, stats: _swap(kernel, "total_swap_pages"),
    "SwapFree": lambda kernel, stats: _swap(kernel, "nr_swap_pages"),
    "Zswap": lambda kernel, stats: _compressed(kernel, "zswap_pool_total_size"),
    "Zswapped": lambda kernel, stats: _compressed(kernel, "zswap_stored_pages"),
    "Dirty": lambda kernel, stats: stats["NR_FILE_DIRTY"],
    "Writeback": lambda kernel, stats: stats["NR_WRITEBACK"],
    "AnonPages": lambda kernel, stats: stats.any("NR_ANON_MAPPED", "NR_ANON_PAGES"),
    "Mapped": lambda kernel, stats: stats["NR_FILE_MAPPED"],
    "Shmem": lambda kernel, stats: stats["NR_SHMEM"],
    "KReclaimable": lambda kernel, stats: stats.any(*RECLAIMABLE) + stats["NR_KERNEL_MISC_RECLAIMABLE"],
    "Slab": lambda kernel, stats: stats.any(*RECLAIMABLE) + stats.any(*UNRECLAIMABLE),
    "SReclaimable": lambda kernel, stats: stats.any(*RECLAIMABLE),
    "SUnreclaim": lambda kernel, stats: stats.any(*UNRECLAIMABLE),
    "KernelStack": lambda kernel, stats: stats["NR_KERNEL_STACK_KB"] * 1024 // kernel.memory.page_size,
    "PageTables": lambda kernel, stats: stats["NR_PAGETABLE"],
    "SecPageTables": lambda kernel, stats: stats["NR_SECONDARY_PAGETABLE"],
    # 8d92890bd6b8 "mm/writeback: discard NR_UNSTABLE_NFS, use NR_WRITEBACK instead", 5.8: a line that is always 0
    "NFS_Unstable": lambda kernel, stats: stats.get("NR_UNSTABLE_NFS"),
    "Bounce": lambda kernel, stats: stats.get("NR_BOUNCE"),  # likewise since 7.0
    "WritebackTmp": lambda kernel, stats: stats.get("NR_WRITEBACK_TEMP"),  # likewise since 6.16
    "CommitLimit": lambda kernel, stats: _commit_limit(kernel),
    "Committed_AS": lambda kernel, stats: _committed(kernel),
    "VmallocTotal": lambda kernel, stats: _vmalloc_total(kernel),
    "VmallocUsed": _vmalloc_used,
    # a5ad88ce8c7f "mm: get rid of 'vmalloc_info' from /proc/meminfo", 4.4: too costly to find out
    "VmallocChunk": lambda kernel, stats: 0,
    "Percpu": lambda kernel, stats: _per_cpu(kernel),
    "HardwareCorrupted": lambda kernel, stats: kernel.memory.word(kernel.symbol("num_poisoned_pages")),
    "AnonHugePages": lambda kernel, stats: _thp(kernel, stats, "NR_ANON_THPS"),
    "ShmemHugePages": lambda kernel, stats: _thp(kernel, stats, "NR_SHMEM_THPS"),
    "ShmemPmdMapped": lambda kernel, stats: _thp(kernel, stats, "NR_SHMEM_PMDMAPPED"),
    "FileHugePages": lambda kernel, stats: _thp(kernel, stats, "NR_FILE_THPS"),
    "FilePmdMapped": lambda kernel, stats: _thp(kernel, stats, "NR_FILE_PMDMAPPED"),
    "CmaTotal": lambda kernel, stats: _cma(kernel, "CmaTotal", stats),
    "CmaFree": lambda kernel, stats: _cma(kernel, "CmaFree", stats),
    "Unaccepted": lambda kernel, stats: stats["NR_UNACCEPTED"],
    "Balloon": lambda kernel, stats: stats["NR_BALLOON_PAGES"],
    "GPUActive": lambda kernel, stats: stats["NR_GPU_ACTIVE"],
    "GPUReclaim": lambda kernel, stats: stats["NR_GPU_RECLAIM"],
    "HugePages_Total": lambda kernel, stats: _huge(kernel, "total"),
    "HugePages_Free": lambda kernel, stats: _huge(kernel, "free"),
    "HugePages_Rsvd": lambda kernel, stats: _huge(kernel, "reserved"),
    "HugePages_Surp": lambda kernel, stats: _huge(kernel, "surplus"),
    "Hugepagesize": lambda kernel, stats: default_pool(kernel).bytes // kernel.memory.page_size,
    "Hugetlb": lambda kernel, stats: (
        sum(one.total * one.bytes for one in huge_pages(kernel)) // kernel.memory.page_size
    ),
    "DirectMap4k": lambda kernel, stats: _direct(kernel, "PG_LEVEL_4K", 1),
    "DirectMap2M": lambda kernel, stats: _direct(kernel, "PG_LEVEL_2M", 1 << 9),
    "DirectMap1G": lambda kernel, stats: _direct(kernel, "PG_LEVEL_1G", 1 << 18),
}


@once
def all_counters(kernel: Kernel) -> list[Counter]:
    """Return the counters; one that cannot be read is None and a problem, one that this kernel lacks is left out."""
    found = []
    try:
        found.append(Counter("MemTotal", memory_bytes(kernel)))
        stats = Stats(kernel)
    except OopscopeError as e:
        kernel.problems.lost("meminfo")(e)
        return found
    unnamed: dict[str, str] = {}
    for name, pages in LINES.items():
        try:
            found.append(Counter(name, pages(kernel, stats) * kernel.memory.page_size))
        except Absent as e:
            if isinstance(e, NoSymbol) and e.unnamed:
                unnamed[name] = str(e)
                found.append(Counter(name, None))
            continue
        except OopscopeError as e:
            kernel.problems.lost("meminfo", name)(e)
            found.append(Counter(name, None))
    if unnamed:
        kernel.problems.add("meminfo", f"{', '.join(unnamed)}: {next(iter(unnamed.values()))}")
    return found
