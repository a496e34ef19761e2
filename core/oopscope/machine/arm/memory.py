"""ARM: low memory, text included, is mapped in one piece from PAGE_OFFSET on; where it lies has to be found.

Follows arch/arm/include/asm/memory.h and arch/arm/kernel/head.S. PAGE_OFFSET is 0xc0000000 unless CONFIG_VMSPLIT says
otherwise; swapper_pg_dir lies right above it. Where physical memory begins the kernel finds out as it boots, in steps
of 2 MiB (7a94849e81b5 "ARM: p2v: reduce p2v alignment requirement to 2 MiB", 5.11; 16 MiB before): it begins where the
page tables that lie there map the kernel's text to where it must lie.
"""

from collections.abc import Iterator

from oopscope.arch import Arch, Mapping, Paging
from oopscope.errors import FormatError, NotMapped
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import PhysBase
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.vmcoreinfo import VmcoreInfo

TEXT_WINDOW = 64 << 20  # how much from _stext on is taken as the image where page tables are unreadable
STEP, TOP = 2 << 20, 1 << 32
MODULES = 16 << 20  # bytes below PAGE_OFFSET, for modules and for what else must be near to them


def paging_of(arch: Arch, info: VmcoreInfo) -> Paging:
    """Return the kernel's page tables, which are also its programs'."""
    return arch.pagings["LPAE" if info.get("CONFIG_ARM_LPAE") == "y" else "short"]


def user_paging(kernel: Kernel) -> Paging:
    """Return the page tables of programs."""
    return paging_of(kernel.arch, kernel.info)


def page_offset(info: VmcoreInfo) -> int:
    """Return where low memory is mapped; FormatError where VMCOREINFO does not tell."""
    root = info.symbol("swapper_pg_dir")
    if root is None or info.symbol("_stext") is None:
        raise FormatError("VMCOREINFO names no page tables (SYMBOL(swapper_pg_dir) and SYMBOL(_stext) are missing)")
    return root & 0xF0000000


def _candidates(phys_base: PhysBase) -> Iterator[int]:
    said = phys_base()
    if said:
        yield said & -STEP
    yield from range(0, TOP, STEP)


def phys_offset(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> int:
    """Return where physical memory begins; FormatError where no page tables prove it."""
    start = page_offset(info)
    paging, stext, root = paging_of(arch, info), info.symbol("_stext") or 0, info.symbol("swapper_pg_dir") or 0
    with physical.searching():
        for base in _candidates(phys_base):
            try:
                found = paging.translate(root - start + base, stext, physical.read)
            except NotMapped:
                continue
            if found.start + (stext & found.size - 1) == stext - start + base:
                return base
    raise FormatError("no page tables map the kernel's text: where memory begins is not known")


def kernel_memory(arch: Arch, info: VmcoreInfo, physical: PhysicalMemory, phys_base: PhysBase) -> Memory:
    """Return the kernel's address space: swapper_pg_dir's page tables, and the image's linear mapping without them."""
    start, base = page_offset(info), phys_offset(arch, info, physical, phys_base)
    stext = info.symbol("_stext") or 0
    paging, root, end = paging_of(arch, info), (info.symbol("swapper_pg_dir") or 0) - start + base, stext + TEXT_WINDOW

    def translate(address: int) -> Mapping:
        try:
            return paging.translate(root, address, physical.read)
        except NotMapped:
            if stext <= address < min(end, TOP):
                return Mapping((address & -4096) - start + base, 4096)
            raise

    return Memory(physical, translate, arch.page_shift, arch.word)


def kernel_from(kernel: Kernel) -> int:
    """Return the lowest address that can be the kernel's: modules lie below low memory."""
    return page_offset(kernel.info) - MODULES


def modules(kernel: Kernel) -> range:
    """Return where modules are loaded: below low memory, and in vmalloc space where there is no room (MODULE_PLTS)."""
    return range(kernel_from(kernel), kernel.memory.top)


def direct_base(kernel: Kernel) -> int | None:
    """Return the address that physical address 0 would have in low memory."""
    start = page_offset(kernel.info)
    try:
        return (start - kernel.memory.translate(start)) % TOP
    except NotMapped:
        return None
