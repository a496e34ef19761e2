"""ppc64: radix page tables of 4 and 64 KiB pages, and the registers of its crash notes.

Follows the Power ISA, book III (radix tree translation), and arch/powerpc/include/asm/{ptrace,book3s/64/radix}.h.
Entries are big-endian whatever the kernel is, which is little-endian here.
"""

import struct

from oopscope.arch import Arch, Bits, Convention, Level, NoteRegisters, Paging

PAGE_SHIFTS = {"4K": 12, "64K": 16}
_VALID, _TABLE = Bits(1 << 63, 1 << 63), Bits(1 << 62, 0)
_FRAME, _DIRECTORY = 0x01FFFFFFFFFFF000, 0x0FFFFFFFFFFFFF00
GENERAL = (
    *(f"gpr{n}" for n in range(32)),
    *("nip", "msr", "orig_gpr3", "ctr", "link", "xer", "ccr", "softe", "trap", "dar", "dsisr", "result"),
)


def paging(page: str) -> Paging:
    """Return the page tables of a kernel by its page's name: 5 or 9, 9, 9 and 13 bits from the page up."""
    shift = PAGE_SHIFTS[page]
    last = 9 if page == "4K" else 5
    pmd = shift + last
    return Paging(
        (
            Level(pmd + 18, 13, _VALID, _TABLE, _DIRECTORY, _FRAME),
            Level(pmd + 9, 9, _VALID, _TABLE, _DIRECTORY, _FRAME),
            Level(pmd, 9, _VALID, _TABLE, _DIRECTORY, _FRAME),
            Level(shift, last, _VALID, None, _FRAME),
        ),
        struct.Struct(">Q"),
    )


ARCH = Arch(
    name="ppc64le",
    machines=("ppc64le", "powerpc"),
    elf_machine=21,
    bits=64,
    byteorder="little",
    page_shift=16,  # where VMCOREINFO does not say
    pc="nip",
    sp="gpr1",
    fp="gpr31",
    prstatus=NoteRegisters(size=504, pid=32, first=112, names=GENERAL),
    convention=Convention(  # Power Architecture 64-Bit ELF V2 ABI, 2.2
        arguments=tuple(f"gpr{n}" for n in range(3, 11)),
        result="gpr3",
        clobbered=("gpr0", *(f"gpr{n}" for n in range(3, 13)), "ctr", "link"),
    ),
    module="oopscope.machine.powerpc.machine",
    pagings={name: paging(name) for name in PAGE_SHIFTS},
    other="oopscope.machine.powerpc.big",
)
