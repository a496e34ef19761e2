"""riscv64: where the kernel's page tables are, and where its image lies without them; the areas of its addresses.

Follows arch/riscv/include/asm/{page,pgtable}.h, arch/riscv/kernel/vmcore_info.c and vm-layout.rst of the documentation.
"""

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import FormatError, NotMapped, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import PhysBase, Space
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

TEXT_WINDOW = 128 << 20  # how much from _stext on is taken as the image where page tables are unreadable
TOP = 1 << 64
PAGE = 4096


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: swapper_pg_dir's page tables, and the image's linear mapping without them."""
    del phys_base
    root_va, offset = info.symbol("swapper_pg_dir"), info.number("va_kernel_pa_offset")
    paging = _paging(arch, info)
    if root_va is None or offset is None or paging is None:
        raise FormatError("VMCOREINFO names no page tables (NUMBER(va_kernel_pa_offset) or NUMBER(VA_BITS) is missing)")
    root, stext = (root_va - offset) % TOP, info.symbol("_stext") or root_va
    tables: dict[int, int] = {}

    def translate(address: int) -> Mapping:
        try:
            return paging.translate(root, address, physical.read, tables=tables)
        except NotMapped:
            if stext <= address < stext + TEXT_WINDOW:
                return Mapping(((address & -PAGE) - offset) % TOP, PAGE)
            raise

    return Memory(physical, translate, arch.page_shift, arch.word)


def _paging(arch: Arch, info: VmcoreInfo) -> Paging | None:
    return arch.pagings.get(f"Sv{info.number('VA_BITS')}")


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs, which are of the kernel's own shape."""
    found = _paging(kernel.arch, kernel.info)
    assert found is not None  # kernel_memory() asked before
    return found


def kernel_from(kernel: Kernel) -> int:
    """Return the lowest address of the upper half, which is the kernel's."""
    return kernel.memory.top >> 1


def modules(kernel: Kernel) -> range:
    """Return where modules are loaded: within 2 GiB of the image."""
    start, end = kernel.info.number("MODULES_VADDR"), kernel.info.number("MODULES_END")
    stext = kernel.info.symbol("_stext") or TOP - 1
    return range(start or stext - (2 << 30), end or stext) if (start or 0) < (end or TOP) else range(0)


def direct_base(kernel: Kernel) -> int | None:
    """Return the address that the map of all memory has, or would have, for the physical address 0."""
    direct, base = kernel.info.number("PAGE_OFFSET"), kernel.info.number("phys_ram_base")
    return (direct - base) % TOP if direct and base is not None else None


def address_space(kernel: Kernel) -> Space | None:
    """Return where the areas are; None of a kernel that does not tell."""
    number = kernel.info.number
    names = ("VA_BITS", "PAGE_OFFSET", "VMALLOC_START", "VMALLOC_END", "VMEMMAP_START", "phys_ram_base")
    bits, direct, vmalloc, vmalloc_end, vmemmap, base = (number(name) for name in names)
    if bits is None or not direct or not vmalloc or not vmalloc_end or not vmemmap or base is None:
        return None
    last = max((end for _start, end in kernel.dump.ranges()), default=base) // PAGE
    frames, direct, vmemmap = max(last - base // PAGE, 0), direct % TOP, vmemmap % TOP
    try:
        size = kernel.types.sizeof("page")
    except OopscopeError:
        size = 0
    return Space(
        bits,
        range(direct, direct + frames * PAGE),
        range(vmalloc % TOP, vmalloc_end % TOP),
        range(vmemmap, vmemmap + frames * size),
        size,
        first_frame=base // PAGE,
    )
