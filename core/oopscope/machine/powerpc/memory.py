"""ppc64le: the map of all memory, which takes no page tables, and those of all else.

Follows arch/powerpc/include/asm/{page.h,book3s/64/pgtable.h}. The image and all memory lie at 0xc000... plus where they
are. Other addresses go through the radix tables of swapper_pg_dir; of a kernel with the hash MMU they cannot be read.
"""

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import NotMapped
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import PhysBase
from oopscope.machine.powerpc.arch import PAGE_SHIFTS
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

PAGE_OFFSET = 0xC << 60
LINEAR = 1 << 51  # bytes of the map at the most: vmalloc space follows, at 0xc008...


def _page(arch: Arch, info: VmcoreInfo) -> str:
    said = info.get("PAGESIZE") or ""
    size = int(said) if said.isdecimal() else 1 << arch.page_shift
    return next((name for name, shift in PAGE_SHIFTS.items() if 1 << shift == size), "64K")


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: the map of all memory, and swapper_pg_dir's page tables."""
    del phys_base
    page = _page(arch, info)
    paging, size = arch.pagings[page], 1 << PAGE_SHIFTS[page]
    root = info.symbol("swapper_pg_dir")

    def translate(address: int) -> Mapping:
        if PAGE_OFFSET <= address < PAGE_OFFSET + LINEAR:
            return Mapping((address & -size) - PAGE_OFFSET, size)
        if root is None or address < PAGE_OFFSET:
            raise NotMapped(address)
        return paging.translate(root - PAGE_OFFSET, address, physical.read)

    return Memory(physical, translate, PAGE_SHIFTS[page], arch.word)


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs, which are of the kernel's own shape."""
    return kernel.arch.pagings[_page(kernel.arch, kernel.info)]


def kernel_from(_kernel: Kernel) -> int:
    """Return the lowest address of the kernel's."""
    return PAGE_OFFSET


def modules(kernel: Kernel) -> range:
    """Return where modules are loaded: anywhere in vmalloc space."""
    return range(PAGE_OFFSET + LINEAR, kernel.memory.top)
