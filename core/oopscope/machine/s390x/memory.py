"""s390x: where the kernel's page tables and image are.

Follows arch/s390/kernel/{setup,machine_kexec}.c. The image lay where its addresses say up to 6.9; since then VMCOREINFO
tells how far it was moved (KERNELOFFSET) and where it lies (KERNELOFFPHYS, c98d2ecae08f). How many levels the tables
have nobody says: those are right that map the kernel's text where it lies.
"""

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import FormatError, NotMapped
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import PhysBase
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

TEXT_WINDOW = 128 << 20  # how much from _stext on is taken as the image where page tables are unreadable
PAGE = 4096
TOP = 1 << 64
ORDER = ("region 2", "region 3", "region 1")


def _lies(info: VmcoreInfo, address: int) -> int:
    """Return the physical address of an address of the image."""
    said = info.get("KERNELOFFPHYS")
    try:
        return (address - info.kernel_offset + int(said, 16)) % TOP if said is not None else address
    except ValueError:
        return address


def _paging(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, root: int, stext: int) -> Paging:
    for name in ORDER:
        paging = arch.pagings[name]
        try:
            found = paging.translate(root, stext, physical.read)
        except NotMapped:
            continue
        if found.start + (stext & found.size - 1) == _lies(info, stext):
            return paging
    return arch.pagings[ORDER[0]]


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: swapper_pg_dir's page tables, and the image's linear mapping without them."""
    del phys_base
    root_va = info.symbol("swapper_pg_dir")
    if root_va is None:
        raise FormatError("VMCOREINFO names no page tables (SYMBOL(swapper_pg_dir) is missing)")
    root, stext = _lies(info, root_va), info.symbol("_stext") or root_va
    paging = _paging(arch, info, physical, root, stext)
    tables: dict[int, int] = {}

    def translate(address: int) -> Mapping:
        try:
            return paging.translate(root, address, physical.read, tables=tables)
        except NotMapped:
            if stext <= address < stext + TEXT_WINDOW:
                return Mapping(_lies(info, address & -PAGE), PAGE)
            raise

    return Memory(physical, translate, arch.page_shift, arch.word)


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs: of three levels, as long as one has no more than 4 TiB."""
    return kernel.arch.pagings["region 3"]


def kernel_from(kernel: Kernel) -> int:
    """Return the lowest address that can be the kernel's, whose addresses are a space of their own."""
    return kernel.memory.page_size


def direct_base(kernel: Kernel) -> int | None:
    """Return the address that physical address 0 has: IDENTITYBASE (c98d2ecae08f, 6.10), and 0 before that."""
    return (kernel.info.plain("IDENTITYBASE", 16) or 0) % TOP


def modules(kernel: Kernel) -> range:
    """Return where modules are loaded: within 2 GiB below the image since 6.10, above it before."""
    stext = kernel.info.symbol("_stext") or TOP >> 1
    return range(max(stext - (2 << 30), PAGE), min(stext + (4 << 30), TOP))
