"""Pools of huge pages, one for each size. Follows mm/hugetlb.c and include/linux/hugetlb.h."""

from typing import NamedTuple

from oopscope.errors import Absent
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.structs.plan import Plan

MAX_HSTATES = 16
MAX_ORDER = 32


class HstateStruct(NamedTuple):
    """struct hstate."""

    order: int
    nr_huge_pages: int
    free_huge_pages: int
    resv_huge_pages: int
    surplus_huge_pages: int
    nr_overcommit_huge_pages: int


HSTATE = Plan("hstate", HstateStruct)


class HugePool(NamedTuple):
    """Huge pages of one size: how many there are, free, promised, and beyond what was asked for."""

    bytes: int  # of one
    total: int
    free: int
    reserved: int
    surplus: int
    most: int  # that may be had beyond the pool


@once
def huge_pages(kernel: Kernel) -> list[HugePool]:
    """Return the pools; Absent for a kernel without CONFIG_HUGETLB_PAGE."""
    count, bound = kernel.memory.u32(kernel.symbol("hugetlb_max_hstate")), kernel.bind(HSTATE)
    first = kernel.symbol("hstates")
    rows = bound.rows(first + at * bound.size for at in range(min(count, MAX_HSTATES)))
    return [HugePool(kernel.memory.page_size << min(row.order, MAX_ORDER), *row[1:]) for row in rows]


def default_pool(kernel: Kernel) -> HugePool:
    """Return the pool of the size that /proc/meminfo speaks of; Absent."""
    pools, number = huge_pages(kernel), kernel.memory.u32(kernel.symbol("default_hstate_idx"))
    if number >= len(pools):
        raise Absent("this kernel has no huge pages")
    return pools[number]
