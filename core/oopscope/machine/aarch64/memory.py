"""aarch64: where the kernel's page tables are, of which shape, and where its image lies without them.

Follows arch/arm64/include/asm/memory.h and arch/arm64/kernel/vmcore_info.c. The image is mapped in one piece,
kimage_voffset away from where it lies. A kernel built for 52 bits of address runs with 48 where the CPU has no more;
TCR_EL1_T1SZ says it (bbdbc11804ff "arm64/crash_core: Export TCR_EL1.T1SZ in vmcoreinfo", 5.10), and the shape that maps
the kernel's text where it must lie is the right one.
"""

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import FormatError, NotMapped
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import PhysBase
from oopscope.machine.aarch64.arch import PAGE_SHIFTS, SIZES
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

TEXT_WINDOW = 128 << 20  # how much from _stext on is taken as the image where page tables are unreadable
ADDRESSES = 1 << 64


def page_name(arch: Arch, info: VmcoreInfo) -> str:
    """Return the name of the kernel's page size, by PAGESIZE."""
    said = info.get("PAGESIZE") or ""
    size = int(said) if said.isdecimal() else 1 << arch.page_shift
    found = next((name for name, shift in PAGE_SHIFTS.items() if 1 << shift == size), None)
    if found is None:
        raise FormatError(f"VMCOREINFO tells of pages of {size} bytes, which arm64 has not")
    return found


def address_bits(page: str, info: VmcoreInfo) -> list[int]:
    """Return the sizes of virtual address that the kernel may run with, the likeliest first."""
    t1sz = info.number("TCR_EL1_T1SZ")
    said = [64 - t1sz if t1sz else 0, info.number("VA_BITS") or 0, *reversed(SIZES[page])]
    return [bits for bits in dict.fromkeys(said) if bits in SIZES[page]]


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: swapper_pg_dir's page tables, and the image's linear mapping without them."""
    del phys_base
    voffset, root_va = info.number("kimage_voffset"), info.symbol("swapper_pg_dir")
    if voffset is None or root_va is None:
        raise FormatError(
            "VMCOREINFO names no page tables (NUMBER(kimage_voffset) or SYMBOL(swapper_pg_dir) is missing)"
        )
    page = page_name(arch, info)
    stext = info.symbol("_stext") or root_va
    root, image = (root_va - voffset) % ADDRESSES, (stext - voffset) % ADDRESSES
    paging, bits = _shape(arch, page, info, physical, root, stext, image)
    size = 1 << PAGE_SHIFTS[page]
    lowest = ADDRESSES - (1 << bits)
    tables: dict[int, int] = {}

    def translate(address: int) -> Mapping:
        if address < lowest:
            raise NotMapped(address, "not canonical: no address of the kernel's")
        try:
            return paging.translate(root, address, physical.read, tables=tables)
        except NotMapped:
            if stext <= address < stext + TEXT_WINDOW:
                return Mapping((address & -size) - stext + image, size)
            raise

    return Memory(physical, translate, PAGE_SHIFTS[page], arch.word)


def _shape(
    arch: Arch, page: str, info: VmcoreInfo, physical: PhysicalMemory, root: int, stext: int, image: int
) -> tuple[Paging, int]:
    """Return the page tables that map the kernel's text where it lies, and their bits; else the likeliest."""
    sizes = address_bits(page, info)
    for bits in sizes:
        paging = arch.pagings[f"{page} {bits}"]
        try:
            found = paging.translate(root, stext, physical.read)
        except NotMapped:
            continue
        if found.start + (stext & found.size - 1) == image:
            return paging, bits
    return arch.pagings[f"{page} {sizes[0]}"], sizes[0]


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs, which are of the kernel's own shape."""
    return kernel.cached(shape)[0]


def shape(kernel: Kernel) -> tuple[Paging, int]:
    """Return the page tables that are in use, and their bits of virtual address."""
    info, page = kernel.info, page_name(kernel.arch, kernel.info)
    voffset, root = info.number("kimage_voffset") or 0, info.symbol("swapper_pg_dir") or 0
    stext = info.symbol("_stext") or root
    at = (root - voffset) % ADDRESSES, stext, (stext - voffset) % ADDRESSES
    return _shape(kernel.arch, page, info, kernel.memory.physical, *at)
