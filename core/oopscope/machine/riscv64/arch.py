"""riscv64: page tables of three to five levels, and the registers of its crash notes.

Follows the RISC-V privileged specification (Sv39, Sv48, Sv57) and arch/riscv/include/uapi/asm/ptrace.h. An entry leads
to another table if it may neither be read, written nor run; its page number is two bits lower than an address has it.
"""

import struct

from oopscope.arch import Arch, Bits, Convention, Level, NoteRegisters, Paging

GENERAL = (
    *("pc", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1"),
    *(f"a{n}" for n in range(8)),
    *(f"s{n}" for n in range(2, 12)),
    *("t3", "t4", "t5", "t6"),
)
SIZES = {39: 3, 48: 4, 57: 5}  # bits of a virtual address, and levels
_VALID, _TABLE = Bits(1, 1), Bits(0xE, 0)
_NUMBER = (1 << 54) - (1 << 10)


def paging(levels: int) -> Paging:
    """Return the page tables of so many levels."""
    made = (Level(12 + 9 * n, 9, _VALID, _TABLE if n else None, _NUMBER) for n in reversed(range(levels)))
    return Paging(tuple(made), struct.Struct("<Q"), left=2, sign_extended=True)


ARCH = Arch(
    name="riscv64",
    machines=("riscv64",),
    elf_machine=243,
    bits=64,
    byteorder="little",
    page_shift=12,
    pc="pc",
    sp="sp",
    fp="s0",
    prstatus=NoteRegisters(size=376, pid=32, first=112, names=GENERAL),
    convention=Convention(  # RISC-V ABIs Specification, 1.1
        arguments=tuple(f"a{n}" for n in range(8)),
        result="a0",
        clobbered=("ra", *(f"t{n}" for n in range(7)), *(f"a{n}" for n in range(8))),
    ),
    module="oopscope.machine.riscv64.machine",
    pagings={f"Sv{bits}": paging(levels) for bits, levels in SIZES.items()},
)
