"""x86_64: the kernel's text mapping and page-table root.

Follows arch/x86/include/asm/page_64_types.h and Documentation/arch/x86/x86_64/mm.rst. The text mapping is linear,
pa = va - __START_KERNEL_map + phys_base, which gives the root of the page tables; all else goes through them.
"""

from collections.abc import Iterator

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import FormatError, NotMapped
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import PhysBase
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

START_KERNEL_MAP = 0xFFFFFFFF80000000
IMAGE_LIMIT = 1 << 30  # KERNEL_IMAGE_SIZE at most: text lies below the modules
ALIGNED = 2 << 20  # CONFIG_PHYSICAL_ALIGN
IMAGE_SIZE = 96 << 20  # how far two of an image's variables are apart at the most
TEXT_WINDOW = 128 << 20  # how much from _stext on is taken as the image where page tables are unreadable


def text_base(info: VmcoreInfo, phys_base: PhysBase) -> int | None:
    """Return phys_base, from NUMBER(phys_base) (4.10) or the container's header; None where neither says."""
    base = info.number("phys_base")
    if base is None:
        base = phys_base()
    return None if base is None else (base + (1 << 63)) % (1 << 64) - (1 << 63)


def phys_bases(info: VmcoreInfo, text: int) -> Iterator[int]:
    """Yield what phys_base may be where VMCOREINFO does not say it, given the physical address of its text.

    NUMBER(phys_base) came with 401721ecd1dc "kexec: export the value of phys_base instead of symbol address" (4.10).
    Up to 4.7 KASLR moves the image in both ways at once, and phys_base is 0; then it is any multiple of 2 MiB. The
    text is an array of the image's up to 4.12, so that it lies near all else.
    """
    within = info.symbol("init_uts_ns")
    if within is None or info.number("phys_base") is not None:
        return
    yield 0
    nearest = text - (within - START_KERNEL_MAP) & -ALIGNED
    for distance in range(0, IMAGE_SIZE, ALIGNED):
        yield nearest + distance
        yield nearest - distance


def paging_of(arch: Arch, info: VmcoreInfo) -> Paging:
    """Return the kernel's page tables, which are also its programs'."""
    return arch.pagings["5-level" if info.number("pgtable_l5_enabled") else "4-level"]


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs."""
    return paging_of(kernel.arch, kernel.info)


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: swapper_pg_dir's page tables, and the text mapping without them."""
    base = text_base(info, phys_base)
    root_va = info.symbol("swapper_pg_dir") or info.symbol("init_top_pgt") or info.symbol("init_level4_pgt")
    if base is None or root_va is None:
        raise FormatError("VMCOREINFO names no page tables (NUMBER(phys_base) and SYMBOL(swapper_pg_dir) are missing)")
    root = root_va - START_KERNEL_MAP + base
    paging = paging_of(arch, info)
    sme = info.number("sme_mask") or 0
    stext = info.symbol("_stext") or root_va
    tables: dict[int, int] = {}

    def translate(address: int) -> Mapping:
        try:
            return paging.translate(root, address, physical.read, sme, physical.place, tables)
        except NotMapped as e:
            if e.lost and stext <= address < min(stext + TEXT_WINDOW, START_KERNEL_MAP + IMAGE_LIMIT):
                start = address & -4096
                return Mapping(start - START_KERNEL_MAP + base, 4096)
            raise

    return Memory(physical, translate, arch.page_shift, arch.word)
