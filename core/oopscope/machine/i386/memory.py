"""i386: low memory, text included, is mapped in one piece from PAGE_OFFSET on, which gives the page tables' root.

Follows arch/x86/include/asm/page_32.h and Documentation/arch/x86/. PAGE_OFFSET is 0xc0000000 unless CONFIG_VMSPLIT says
otherwise; the image is linked at 16 MiB above it, so that its highest hexadecimal digit tells.
"""

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import FormatError, NotMapped
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import PhysBase
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

TEXT_WINDOW = 64 << 20  # how much from _stext on is taken as the image where page tables are unreadable


def paging_of(arch: Arch, info: VmcoreInfo) -> Paging:
    """Return the kernel's page tables, which are also its programs'."""
    return arch.pagings["PAE" if info.get("CONFIG_X86_PAE") == "y" else "2-level"]


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs."""
    return paging_of(kernel.arch, kernel.info)


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: swapper_pg_dir's page tables, and the image's linear mapping without them."""
    del phys_base
    stext, root_va = info.symbol("_stext"), info.symbol("swapper_pg_dir")
    if stext is None or root_va is None:
        raise FormatError("VMCOREINFO names no page tables (SYMBOL(swapper_pg_dir) and SYMBOL(_stext) are missing)")
    page_offset = stext - info.kernel_offset & 0xF0000000
    paging, root = paging_of(arch, info), root_va - page_offset
    end = min(stext + TEXT_WINDOW, 1 << 32)

    def translate(address: int) -> Mapping:
        try:
            return paging.translate(root, address, physical.read)
        except NotMapped:
            if stext <= address < end:
                return Mapping((address & -4096) - page_offset, 4096)
            raise

    return Memory(physical, translate, arch.page_shift, arch.word)
