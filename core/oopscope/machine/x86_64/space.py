"""Where things lie in an x86_64 kernel's address space: the map of all memory, vmalloc, struct pages, modules.

Follows Documentation/arch/x86/x86_64/mm.rst. The bases are variables of the kernel since KASLR moves them (4.8), and
constants where no symbol names them; that of the map of all memory is told by any list that begins in the image, too.
"""

from contextlib import suppress

from oopscope.errors import OopscopeError, is_lost
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Area, Space

TB = 1 << 40
MAX_PFN = 1 << 40
STEP = 1 << 30  # KASLR moves the map by whole GiB
MAX_RAM = 16 * TB  # in which the neighbours of a ring are looked for
# Lists of the kernel's image whose members are kmalloc'ed or slab objects.
RINGS = ("slab_caches", "super_blocks", "cgroup_roots", "net_namespace_list", "workqueues", "vmap_area_list")
START, IMAGE = 1 << 63, 0xFFFFFFFF80000000  # the upper half, and where the kernel's own image is mapped
MODULES = range(0xFFFFFFFFA0000000, 0xFFFFFFFFFF000000)  # MODULES_VADDR without KASLR to MODULES_END
FIXED = (
    Area(range(0xFFFFFE0000000000, 0xFFFFFE8000000000), "CPU entry area"),
    Area(range(0xFFFFFFEF00000000, 0xFFFFFFFF00000000), "EFI firmware's mapping"),
    Area(range(0xFFFFFFFFFF000000, 0xFFFFFFFFFFE00000), "fixmap"),
)


def modules(_kernel: Kernel) -> range:
    """Return where modules are loaded."""
    return MODULES


def kernel_from(kernel: Kernel) -> int:
    """Return the lowest address of the upper half, which is the kernel's."""
    return kernel.memory.top >> 1


def direct_base(kernel: Kernel) -> int | None:
    """Return where the map of all memory begins, as the kernel's own variables say, or a ring; None where none does.

    There is a variable for it where KASLR can move it; high_memory is its end in any kernel.
    """
    base = _variable(kernel, "page_offset_base")
    if base is None:
        end, pages = _variable(kernel, "high_memory"), _variable(kernel, "max_pfn")
        base = end - pages * kernel.memory.page_size if end and pages else None
    return base if base is not None and _is_direct(base) else kernel.cached(_by_ring)


def _is_direct(base: int) -> bool:
    """Tell whether the map of all memory can begin at an address: the kernel's image is mapped above it."""
    return START <= base < IMAGE and not base & STEP - 1


def _by_ring(kernel: Kernel) -> int | None:
    """Return the map's base by a list of the kernel's image: the neighbour of its head lies in the map and links back.

    An address of the map tells the physical one but for whole GiB; the right one has the link back to the head.
    """
    memory, size = kernel.memory, kernel.memory.word_size
    last = max((end for _start, end in kernel.dump.ranges()), default=0)
    for name in RINGS:
        head = kernel.find_symbol(name)
        if head is None:
            continue
        for there, back in ((0, size), (size, 0)):
            try:
                node = memory.word(head + there)
            except OopscopeError:
                continue
            if not node >> 63 or node % size or node == head:
                continue
            for physical in range(node % STEP, min(last, MAX_RAM), STEP):
                with suppress(OopscopeError):
                    raw = memory.physical.read(physical + back, size)
                    if int.from_bytes(raw, kernel.arch.byteorder) == head:
                        return node - physical
    return None


def address_space(kernel: Kernel) -> Space:
    """Return where the areas are."""
    five = bool(kernel.info.number("pgtable_l5_enabled"))
    usual, before = (0xFF11000000000000, 0xFF10000000000000) if five else (0xFFFF888000000000, 0xFFFF880000000000)
    direct = direct_base(kernel) or _by_per_cpu(kernel) or usual
    moved = direct not in (usual, before)  # d52888aa2753, 4.20; then so are the others, and no constant is right
    vmalloc = _variable(kernel, "vmalloc_base") or (0 if moved else 0xFFA0000000000000 if five else 0xFFFFC90000000000)
    vmemmap = _variable(kernel, "vmemmap_base") or (0 if moved else 0xFFD4000000000000 if five else 0xFFFFEA0000000000)
    vmemmap = vmemmap if _is_mapped(kernel, vmemmap) else 0  # no CONFIG_SPARSEMEM_VMEMMAP
    pages = _variable(kernel, "max_pfn") or 0
    if not 0 < pages <= MAX_PFN:
        pages = max((end for _start, end in kernel.dump.ranges()), default=0) // kernel.memory.page_size
    try:
        size = kernel.types.sizeof("page")
    except OopscopeError:
        size = 0
    room = (12800 if five else 32) * TB
    return Space(
        57 if five else 48,
        range(direct, direct + pages * kernel.memory.page_size),
        range(vmalloc, vmalloc + room if vmalloc else 0),
        range(vmemmap, vmemmap + pages * size if vmemmap else 0),
        size,
        FIXED,
    )


def _variable(kernel: Kernel, name: str) -> int | None:
    try:
        address = kernel.find_symbol(name)
        return kernel.memory.word(address) if address else None
    except OopscopeError:
        return None


def _is_mapped(kernel: Kernel, address: int) -> bool:
    """Tell whether something is mapped at an address, or page tables that would tell are lost."""
    try:
        kernel.memory.translate(address)
    except OopscopeError as e:
        return is_lost(e)
    return True


def _by_per_cpu(kernel: Kernel) -> int | None:
    """Work the map's base out: the first CPU's area lies in it, and page tables tell its physical address."""
    try:
        address = kernel.per_cpu("__per_cpu_start", 0)
        base = address - kernel.memory.translate(address)
    except OopscopeError:
        return None
    return base if _is_direct(base) else None
