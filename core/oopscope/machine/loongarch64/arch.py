"""loongarch64: page tables of two to four levels, and the registers of its crash notes.

Follows arch/loongarch/include/asm/{pgtable,pgtable-bits,elf,ptrace}.h and the LoongArch reference manual, volume 1,
5.4. A directory's entry is the address of the next table as the kernel sees it, in the map of all memory; the processor
takes its lower 48 bits and asks for no bit that says that it is there, for an empty entry leads to a table of empty
ones. Only of large pages (HUGE) and at the last level an entry is a page's.
"""

import struct

from oopscope.arch import ALWAYS, Arch, Bits, Convention, Level, NoteRegisters, Paging

GENERAL = (
    *("zero", "ra", "tp", "sp"),
    *(f"a{n}" for n in range(8)),
    *(f"t{n}" for n in range(9)),
    *("u0", "fp"),
    *(f"s{n}" for n in range(9)),
)
PT_REGS = (*GENERAL, "orig_a0", "pc", "badv", "crmd", "prmd", "euen", "ecfg", "estat")  # struct pt_regs, ELF_GREG too
PAGE_SHIFTS = {"4K": 12, "16K": 14, "64K": 16}
LEVELS = (2, 3, 4)  # CONFIG_PGTABLE_LEVELS; of 64 KiB pages no four
_HUGE, _PRESENT = 1 << 6, 1 << 7
_HERE, _TABLE, _NOT_HERE = Bits(_PRESENT, _PRESENT), Bits(_HUGE, 0), Bits(_HUGE | _PRESENT, _HUGE)


def paging(page_shift: int, levels: int) -> Paging:
    """Return the page tables of a page size and so many levels; each table is as large as a page."""
    bits, address = page_shift - 3, (1 << 48) - (1 << page_shift)
    tables = (
        Level(page_shift + bits * n, bits, ALWAYS, _TABLE, address, absent=_NOT_HERE) for n in range(levels - 1, 0, -1)
    )
    return Paging((*tables, Level(page_shift, bits, _HERE, None, address)), struct.Struct("<Q"))


ARCH = Arch(
    name="loongarch64",
    machines=("loongarch64",),
    elf_machine=258,
    bits=64,
    byteorder="little",
    page_shift=14,
    pc="pc",
    sp="sp",
    fp="fp",
    # What the mode was before an exception (prmd, behind these) is of an earlier one where nothing was interrupted.
    prstatus=NoteRegisters(size=480, pid=32, first=112, names=PT_REGS[: PT_REGS.index("prmd")]),
    convention=Convention(  # LoongArch ELF psABI, 3.1
        arguments=tuple(f"a{n}" for n in range(8)),
        result="a0",
        clobbered=("ra", *(f"a{n}" for n in range(8)), *(f"t{n}" for n in range(9))),
    ),
    module="oopscope.machine.loongarch64.machine",
    pagings={
        f"{name} {levels}": paging(shift, levels)
        for name, shift in PAGE_SHIFTS.items()
        for levels in LEVELS
        if (name, levels) != ("64K", 4)
    },
    orc="loongarch",
)
