"""x86_64 with nothing to start from: the kernel's page tables by a CPU's CR3, or by the look of them near a banner.

Follows arch/x86/kernel/head_64.S and Documentation/arch/x86/x86_64/mm.rst: the image is mapped in the topmost 2 GiB,
from a multiple of 2 MiB on, and lies in one piece in physical memory. What is found is proved by the kernel's own
symbol table in that mapping, and gives what VMCOREINFO would have said.
"""

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from oopscope.arch import Arch
from oopscope.dumps import Dump
from oopscope.errors import OopscopeError
from oopscope.machine.x86_64.memory import IMAGE_LIMIT, START_KERNEL_MAP, kernel_memory
from oopscope.memory.physical import PhysicalMemory
from oopscope.memory.virtual import Memory
from oopscope.symbols.kallsyms import Kallsyms, open_kallsyms
from oopscope.symbols.vmcoreinfo import VmcoreInfo

SLOT = 2 << 20
LINKED = START_KERNEL_MAP + (16 << 20)  # where _text is without KASLR: CONFIG_PHYSICAL_START of all distributions
FRAME = (1 << 52) - (1 << 12)
LA57 = 1 << 12  # of CR4
MIN_IMAGE = 2  # slots of 2 MiB that a kernel's image takes at the least: small ones take four or five
NEAR = 64 << 20  # an image's page tables are no further from its banner
MAX_NEAR = 8  # candidates looked at closely for each banner


class Root(NamedTuple):
    """A physical page-table root, and whether it has five levels."""

    address: int
    five: bool


class Image(NamedTuple):
    """Where a kernel's image is mapped and where it lies."""

    root: Root
    start: int
    phys_base: int


def roots_of_cpus(dump: Dump) -> Iterator[Root]:
    """Yield the roots that CPUs used; with page-table isolation a program's root lies right behind the kernel's."""
    place = getattr(dump, "place", None)
    for cpu in dump.cpus():
        cr3, cr4 = cpu.control.get("cr3", 0) & FRAME, cpu.control.get("cr4", 0)
        if cr3 and cpu.control.get("cr0", 1 << 31) >> 31 & 1:
            for root in (cr3, cr3 & ~0x1000):
                with suppress(OopscopeError):
                    yield Root(place(root) if place else root, bool(cr4 & LA57))


def roots_near(physical: PhysicalMemory, banner: int) -> Iterator[Root]:
    """Yield the pages near a kernel's banner whose last entry is one, and whose tables map the banner's page."""
    near = 0
    low = max(banner - NEAR, 0) & -4096
    for address in range(low, banner + NEAR, 4096):
        try:
            (last,) = struct.unpack("<Q", physical.read(address + 4088, 8))
        except OopscopeError:
            continue
        if last & 0x63 == 0x63 and abs((last & FRAME) - banner) < NEAR:  # present, writable, accessed, dirty
            near += 1
            for five in (False, True):
                yield Root(address, five)
            if near > MAX_NEAR * 64:
                return


def image(arch: Arch, physical: PhysicalMemory, root: Root) -> Image | None:
    """Return the kernel's image as a root maps it: the first stretch of the text mapping; None for none."""
    paging = arch.pagings["5-level" if root.five else "4-level"]
    first, slots, where = 0, 0, 0
    for address in range(START_KERNEL_MAP, START_KERNEL_MAP + IMAGE_LIMIT, SLOT):
        try:
            mapped = paging.translate(root.address, address, physical.read, 0, physical.place).start
        except OopscopeError:
            if first:
                break
            continue
        if not first:
            first, where = address, mapped
        elif mapped & -SLOT != where + address - first & -SLOT:
            break
        slots += 1
    if slots < MIN_IMAGE or where % 4096:
        return None
    return Image(root, first, where - (first - START_KERNEL_MAP))


def provisional(found: Image) -> VmcoreInfo:
    """Return what is known of an image, as VMCOREINFO would say it."""
    table = found.root.address - found.phys_base + START_KERNEL_MAP & (1 << 64) - 1
    return VmcoreInfo(
        {
            "SYMBOL(_stext)": f"{found.start:x}",
            "SYMBOL(swapper_pg_dir)": f"{table:x}",
            "NUMBER(phys_base)": str(found.phys_base),
            "KERNELOFFSET": f"{found.start - LINKED:x}",
            "NUMBER(pgtable_l5_enabled)": str(int(found.root.five)),
        }
    )


def prove(arch: Arch, physical: PhysicalMemory, found: Image) -> tuple[VmcoreInfo, Memory, Kallsyms] | None:
    """Open the symbols of an image; None where there are none."""
    info = provisional(found)
    memory = kernel_memory(arch, info, physical, lambda: None)
    try:
        symbols = open_kallsyms(memory.read, info)
        if symbols.lookup("init_task") is None or symbols.lookup("linux_banner") is None:
            return None
    except OopscopeError:
        return None
    return info, memory, symbols


def kernels(arch: Arch, physical: PhysicalMemory, roots: Iterable[Root]) -> Iterator[Image]:
    """Yield the images that some roots map, each once."""
    seen: set[Root] = set()
    places: set[tuple[int, int]] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        found = image(arch, physical, root)
        if found and (found.start, found.phys_base) not in places:
            places.add((found.start, found.phys_base))
            yield found
