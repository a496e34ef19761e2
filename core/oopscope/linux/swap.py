"""Swap areas as in /proc/swaps. Follows mm/swapfile.c and include/linux/swap.h."""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.file import FILE, INODE, Files
from oopscope.linux.proc_mounts import first_namespace
from oopscope.structs.plan import Plan

MAX_SWAPFILES = 64
SWP_USED, SWP_WRITEOK = 1, 2
# what of inuse_pages is a count: SWAP_USAGE_COUNTER_MASK since b228386cf237 "mm, swap: clean up plist removal and
# adding", 6.14
COUNT = (1 << 62) - 1
S_IFMT, S_IFBLK = 0o170000, 0o060000


class SwapStruct(NamedTuple):
    """struct swap_info_struct, sizes in pages."""

    flags: int
    prio: int
    pages: int
    max: int
    inuse: int
    swap_file: int


SWAP = Plan("swap_info_struct", SwapStruct, inuse=("inuse_pages.counter", "inuse_pages"))


class SwapArea(NamedTuple):
    """One line of /proc/swaps, in bytes."""

    path: str | None
    kind: str | None  # file or partition
    size: int
    used: int
    priority: int
    state: str
    address: int


@once
def swap_areas(kernel: Kernel) -> list[SwapArea]:
    """Return the areas that are in use; none for a kernel without CONFIG_SWAP."""
    count, table = kernel.find_symbol("nr_swapfiles"), kernel.find_symbol("swap_info")
    if count is None or table is None:
        return []
    number = min(kernel.memory.u32(count), MAX_SWAPFILES)
    bound, found = kernel.bind(SWAP), []
    for address in kernel.memory.words(table, number) if number else ():
        try:
            row = bound.row(address) if address else None
        except OopscopeError as e:
            kernel.problems.lost("swaps", "a swap area")(e)
            continue
        if row is None or not row.flags & SWP_USED or not row.swap_file:
            continue
        if not 0 < row.pages <= max(row.max, row.pages) or row.inuse & COUNT > row.pages:
            kernel.problems.add("swaps", "what should be a swap area has more pages in use than it has", address)
            continue
        found.append(_area(kernel, address, row))
    return found


def _area(kernel: Kernel, address: int, row: SwapStruct) -> SwapArea:
    page, path, kind = kernel.memory.page_size, None, None
    try:
        file = kernel.bind(FILE).row(row.swap_file)
        kind = "partition" if kernel.bind(INODE).row(file.inode).mode & S_IFMT == S_IFBLK else "file"
        path = Files(kernel, first_namespace(kernel)[1]).path_of_file(row.swap_file)
    except OopscopeError as e:
        kernel.problems.lost("swaps", "the path of a swap area")(e)
    state = "on" if row.flags & SWP_WRITEOK else "being turned off"
    return SwapArea(path, kind, row.pages * page, (row.inuse & COUNT) * page, row.prio, state, address)
