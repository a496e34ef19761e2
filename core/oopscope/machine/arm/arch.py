"""32-bit ARM: page tables of short descriptors or, with LPAE, of long ones, and the registers of its crash notes.

Follows the Arm Architecture Reference Manual for ARMv7-A, B3.5 and B3.6, and arch/arm/include/uapi/asm/ptrace.h.
"""

import struct

from oopscope.arch import ALWAYS, Arch, Bits, Convention, Level, NoteRegisters, Paging

# In the order of struct pt_regs.
PT_REGS = (*(f"r{n}" for n in range(11)), "fp", "ip", "sp", "lr", "pc", "cpsr", "orig_r0")
_NOTHING, _COARSE = Bits(3, 0), Bits(3, 1)  # of a first-level entry: 2 and 3 are sections of 1 MiB
_VALID, _TABLE = Bits(1, 1), Bits(2, 2)
_LONG = (1 << 40) - (1 << 12)

ARCH = Arch(
    name="arm",
    machines=("armv7l", "armv6l", "armv8l", "arm"),
    elf_machine=40,
    bits=32,
    byteorder="little",
    page_shift=12,
    pc="pc",
    sp="sp",
    fp="fp",
    prstatus=NoteRegisters(size=148, pid=24, first=72, names=PT_REGS),
    convention=Convention(  # Procedure Call Standard for the Arm Architecture, 6.1.1
        arguments=("r0", "r1", "r2", "r3"), result="r0", clobbered=("r0", "r1", "r2", "r3", "ip", "lr")
    ),
    module="oopscope.machine.arm.machine",
    pagings={
        "short": Paging(
            (
                Level(20, 12, ALWAYS, _COARSE, 0xFFFFFC00, 0xFFF00000, _NOTHING),
                Level(12, 8, _TABLE, None, 0xFFFFF000),  # small pages; the kernel makes no large ones
            ),
            struct.Struct("<I"),
        ),
        "LPAE": Paging(
            (
                Level(30, 2, _VALID, _TABLE, _LONG),
                Level(21, 9, _VALID, _TABLE, _LONG),
                Level(12, 9, Bits(3, 3), None, _LONG),
            ),
            struct.Struct("<Q"),
        ),
    },
)
