"""aarch64: page tables of 4, 16 and 64 KiB pages for any size of address, and the registers of its crash notes.

Follows the Arm ARM, D8 (translation table descriptors), and arch/arm64/include/asm/{pgtable-hwdef,ptrace}.h. With 52
bits of virtual address and pages below 64 KiB the kernel uses FEAT_LPA2, where bits 9..8 of an entry are 51..50 of its
address; with 64 KiB pages bits 15..12 are 51..48 (FEAT_LPA, else zero).
"""

import struct

from oopscope.arch import ALWAYS, Arch, Bits, Convention, Level, NoteRegisters, Paging

PAGE_SHIFTS = {"4K": 12, "16K": 14, "64K": 16}
SIZES = {"4K": (39, 48, 52), "16K": (36, 47, 48, 52), "64K": (42, 48, 52)}  # CONFIG_ARM64_VA_BITS
_ENTRY = struct.Struct("<Q")
_VALID, _PAGE_OR_TABLE = Bits(1, 1), Bits(3, 3)
_TABLE = Bits(2, 2)
# The largest block that an entry can map, by its lowest address bit: without and with 52 bits of address.
_LARGEST = {"4K": (30, 39), "16K": (25, 36), "64K": (29, 42)}


def paging(page: str, bits: int) -> Paging:
    """Return the page tables of a kernel by its page's name in PAGE_SHIFTS and its bits of virtual address."""
    shift, wide = PAGE_SHIFTS[page], bits == 52
    lpa2 = wide and page != "64K"
    address = (1 << (50 if lpa2 else 48)) - (1 << shift)
    largest = _LARGEST[page][wide]
    levels = [Level(shift, shift - 3, _PAGE_OR_TABLE, None, address)]
    while (lowest := levels[0].shift + levels[0].bits) < bits:
        block = lowest <= largest
        present, table = (_VALID, _TABLE) if block else (_PAGE_OR_TABLE, ALWAYS)
        levels.insert(0, Level(lowest, min(shift - 3, bits - lowest), present, table, address))
    high = (0x300, 42) if lpa2 else (0xF000, 36) if page == "64K" else (0, 0)
    return Paging(tuple(levels), _ENTRY, high=high)


ARCH = Arch(
    name="aarch64",
    machines=("aarch64", "arm64"),
    elf_machine=183,
    bits=64,
    byteorder="little",
    page_shift=12,  # where VMCOREINFO does not say
    pc="pc",
    sp="sp",
    fp="x29",
    prstatus=NoteRegisters(size=392, pid=32, first=112, names=(*(f"x{n}" for n in range(31)), "sp", "pc", "pstate")),
    convention=Convention(  # Procedure Call Standard for the Arm 64-bit Architecture, 6.1.1
        arguments=tuple(f"x{n}" for n in range(8)),
        result="x0",
        clobbered=(*(f"x{n}" for n in range(19)), "x30"),
    ),
    module="oopscope.machine.aarch64.machine",
    pagings={f"{page} {bits}": paging(page, bits) for page, sizes in SIZES.items() for bits in sizes},
)
