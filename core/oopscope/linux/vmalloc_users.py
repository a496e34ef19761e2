"""Who asked for how much of vmalloc's area: /proc/vmallocinfo, added up by caller. Follows mm/vmalloc.c."""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.linux.vmalloc import area_map
from oopscope.structs.plan import Plan

# include/linux/vmalloc.h: what kind of memory is mapped.
KINDS = ((1, "ioremap"), (2, "vmalloc"), (4, "vmap"), (8, "user"), (0x10, "dma-coherent"), (0x400, "sparse"))


class VmStruct(NamedTuple):
    """struct vm_struct."""

    addr: int
    size: int
    flags: int
    nr_pages: int
    caller: int


VM = Plan("vm_struct", VmStruct)


class VmallocUser(NamedTuple):
    """The areas that one place in the code asked for."""

    caller: str | None  # None: areas of vm_map_ram(), which keep no caller
    module: str | None
    kind: str
    areas: int
    bytes: int  # of addresses, guard pages included
    pages: int  # of memory
    memory: int  # these in bytes
    least: bool  # not every area could be read: the numbers are of those that were


@once
def vmalloc_users(kernel: Kernel) -> list[VmallocUser]:
    """Return the users, who has most memory first."""
    bound, lost = kernel.bind(VM), kernel.problems.lost("vmallocs", "an area of vmalloc")
    sums: dict[tuple[int, str], list[int]] = {}
    areas = kernel.cached(area_map)
    least = not areas.whole
    if least:
        kernel.problems.add("vmallocs", "not all areas of vmalloc could be read: the numbers are of those that were")
    for area in areas.areas:
        caller, kind, pages = 0, "vm_map_ram", 0
        try:
            row = bound.row(area.vm) if area.vm else None
        except OopscopeError as e:
            least = True
            lost(e)
            continue
        if row is not None:
            if row.addr != area.va_start:  # the areas that vm_map_ram() made have no vm_struct
                kernel.problems.add("vmallocs", "an area's vm_struct is of another address", area.address)
                continue
            caller, pages = row.caller, row.nr_pages
            kind = next((word for bit, word in KINDS if row.flags & bit), "other")
        total = sums.setdefault((caller, kind), [0, 0, 0])
        total[0], total[1], total[2] = total[0] + 1, total[1] + area.va_end - area.va_start, total[2] + pages
    found = [_user(kernel, caller, kind, *total, least=least) for (caller, kind), total in sums.items()]
    return sorted(found, key=lambda row: (-row.pages, -row.bytes))


def _user(kernel: Kernel, caller: int, kind: str, areas: int, size: int, pages: int, *, least: bool) -> VmallocUser:
    name = kernel.name_of(caller) if caller else None
    text = f"{name.symbol}+{name.offset:#x}" if name else f"{caller:#x}" if caller else None
    module = name.module if name else None
    return VmallocUser(text, module, kind, areas, size, pages, pages * kernel.memory.page_size, least)
