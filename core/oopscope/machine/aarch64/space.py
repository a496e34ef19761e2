"""Where things lie in an arm64 kernel's address space, as VMCOREINFO and the kernel's variables tell.

Follows Documentation/arch/arm64/memory.rst and arch/arm64/include/asm/memory.h, as since 5.4 (14c127c957c1 "arm64: mm:
Flip kernel VA space"): the map of all memory is at the bottom, then modules, vmalloc, struct pages.
NUMBER(VMALLOC_START) and the like came with 5.18 (2369f171d5c5 "arm64: crash_core: Export MODULES, VMALLOC, and VMEMMAP
ranges"); an older kernel's areas are not told here.
"""

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Space
from oopscope.machine.aarch64.memory import shape

TOP = 1 << 64
REACH = 2 << 30  # bytes that a module's code can be away from the image


def kernel_from(kernel: Kernel) -> int:
    """Return the lowest address of the upper half, which is the kernel's."""
    return kernel.memory.top >> 1


def modules(kernel: Kernel) -> range:
    """Return where modules are loaded: within reach of a branch from the image, and in the area that VMCOREINFO tells.

    The area is used as it stands without KASLR only: an image that was moved has its modules around itself
    (arch/arm64/kernel/kaslr.c, module_alloc_base; since 6.5 arch/arm64/kernel/module.c, module_init_limits).
    """
    stext = kernel.info.symbol("_stext") or TOP - 1
    near = range(max(stext - REACH, TOP >> 1), min(stext + REACH, TOP))
    start, end = kernel.info.number("MODULES_VADDR"), kernel.info.number("MODULES_END")
    if start and end and start < end and near.start <= end and start <= near.stop:
        return range(min(start, near.start), max(end, near.stop))
    return near


def direct_base(kernel: Kernel) -> int | None:
    """Return the address that the map of all memory has, or would have, for the physical address 0."""
    built, offset = kernel.info.number("VA_BITS"), kernel.info.number("PHYS_OFFSET")
    return (TOP - (1 << built) - offset) % TOP if built and 32 <= built < 64 and offset is not None else None


def address_space(kernel: Kernel) -> Space | None:
    """Return where the areas are; None of a kernel that does not tell."""
    number = kernel.info.number
    built, offset = number("VA_BITS"), number("PHYS_OFFSET")
    vmalloc, vmalloc_end, vmemmap = number("VMALLOC_START"), number("VMALLOC_END"), kernel.info.symbol("vmemmap")
    if None in (built, offset, vmalloc, vmalloc_end, vmemmap):
        return None
    assert built is not None and offset is not None and vmalloc is not None and vmalloc_end is not None
    assert vmemmap is not None
    page, bits = kernel.memory.page_size, kernel.cached(shape)[1]
    frames = [frame for pair in kernel.dump.ranges() for frame in pair] or [0]
    first, last = min(frames) // page, max(frames) // page
    try:
        size = kernel.types.sizeof("page")
    except OopscopeError:
        size = 0
    start = (TOP - (1 << built) + first * page - offset) % TOP
    struct_pages = (vmemmap + first * size) % TOP
    return Space(
        bits + 1,  # both halves have as many
        range(start, start + (last - first) * page),
        range(vmalloc, vmalloc_end),
        range(struct_pages, struct_pages + (last - first) * size),
        size,
        first_frame=first,
    )
