"""loongarch64: the maps of all memory, which take no page tables, and those of all else; the areas of its addresses.

Follows arch/loongarch/include/asm/{addrspace,loongarch,pgtable}.h. The image and all memory lie at 0x9000... plus where
they are (a window that the processor maps directly, as those at 0x8000... and 0xa000..., without or with another kind
of caching). vmalloc space, modules and the array of struct page go through swapper_pg_dir's tables. Of how many levels
these are nothing says: an empty entry leads to a table of empty ones, so any way down tells.
"""

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import FormatError, NotMapped, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Area, PhysBase, Space
from oopscope.machine.loongarch64.arch import LEVELS, PAGE_SHIFTS
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

CACHED = 9 << 60  # CACHE_BASE: the map of all memory
WINDOWS = range(8 << 60, 0xB << 60)  # not cached; cached; not cached, weakly ordered
PHYSICAL = (1 << 48) - 1  # the bits of an address in a window that are a physical one
PAGED = 0xC << 60  # XKVRANGE: what the kernel's page tables map
MODULES_SIZE = 256 << 20
IO_SIZE = 32 << 20


def page_name(arch: Arch, info: VmcoreInfo) -> str:
    """Return the name of the kernel's page size, by PAGESIZE."""
    said = info.get("PAGESIZE") or ""
    size = int(said) if said.isdecimal() else 1 << arch.page_shift
    found = next((name for name, shift in PAGE_SHIFTS.items() if 1 << shift == size), None)
    if found is None:
        raise FormatError(f"VMCOREINFO tells of pages of {size} bytes, which LoongArch has not")
    return found


def levels(root: int, page_shift: int, physical: PhysicalMemory) -> int:
    """Return how many levels the tables at a physical address have; 3, the usual, where no way down can be read.

    The way down is of the first entries, and of the last where a large page ends that.
    """
    for index in (0, (1 << page_shift - 3) - 1):
        table, found = root, 1
        try:
            while found <= max(LEVELS):
                entry = int.from_bytes(physical.read(table + 8 * index, 8), "little")
                if entry >> 48 != CACHED >> 48 or entry & (1 << page_shift) - 1:
                    break
                table, found = entry & PHYSICAL, found + 1
        except OopscopeError:
            continue
        if found in LEVELS and not entry >> 6 & 1:
            return found
    return 3


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: the windows, and swapper_pg_dir's page tables."""
    del phys_base
    name, at = page_name(arch, info), info.symbol("swapper_pg_dir")
    shift = PAGE_SHIFTS[name]
    root = at & PHYSICAL if at is not None else None
    paging: Paging | None = None

    def translate(address: int) -> Mapping:
        nonlocal paging
        if address in WINDOWS:
            return Mapping(address & PHYSICAL & -(1 << shift), 1 << shift)
        if root is None or address < PAGED:
            raise NotMapped(address)
        if paging is None:
            paging = arch.pagings[f"{name} {levels(root, shift, physical)}"]
        return paging.translate(root, address, physical.read)

    return Memory(physical, translate, shift, arch.word)


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs, which are of the kernel's own shape."""
    name = page_name(kernel.arch, kernel.info)
    root = (kernel.info.symbol("swapper_pg_dir") or 0) & PHYSICAL
    return kernel.arch.pagings[f"{name} {levels(root, PAGE_SHIFTS[name], kernel.memory.physical)}"]


def kernel_from(kernel: Kernel) -> int:
    """Return the lowest address of the upper half, which is the kernel's."""
    return kernel.memory.top >> 1


def modules(kernel: Kernel) -> range:
    """Return where modules are loaded: below vmalloc space."""
    start = kernel.info.number("VMALLOC_START")
    if not start:
        return range(PAGED, kernel.memory.top)
    return range(start % kernel.memory.top - MODULES_SIZE, start % kernel.memory.top)


def direct_base(_kernel: Kernel) -> int:
    """Return the address that the map of all memory has for the physical address 0."""
    return CACHED


def address_space(kernel: Kernel) -> Space | None:
    """Return where the areas are; None of a kernel that does not tell."""
    start, vmemmap = kernel.info.number("VMALLOC_START"), kernel.info.symbol("vmemmap")
    if not start or not vmemmap:
        return None
    page = kernel.memory.page_size
    frames = max((end for _start, end in kernel.dump.ranges()), default=0) // page
    try:
        size = kernel.types.sizeof("page")
    except OopscopeError:
        size = 0
    start, own = start % kernel.memory.top, kernel.cached(modules)
    bits = user_paging(kernel).levels[0]
    return Space(
        bits.shift + bits.bits,
        range(CACHED, CACHED + frames * page),
        range(start, vmemmap),
        range(vmemmap, vmemmap + frames * size),
        size,
        fixed=(
            Area(range(WINDOWS.start, CACHED), "memory without caching, and devices"),
            Area(range(WINDOWS.stop - (1 << 60), WINDOWS.stop), "memory without caching, weakly ordered"),
            Area(range(own.start - IO_SIZE, own.start), "ports of devices"),
        ),
    )
