"""i386: page tables of two levels, or three with PAE, and the registers of its crash notes.

Follows the Intel SDM volume 3 chapter 4 and arch/x86/include/asm/user_32.h.
"""

import struct

from oopscope.arch import Arch, Level, NoteRegisters, Paging

LARGE = 1 << 7
_PRESENT = 1

ARCH = Arch(
    name="i386",
    machines=("i386", "i486", "i586", "i686"),
    elf_machine=3,
    bits=32,
    byteorder="little",
    page_shift=12,
    pc="eip",
    sp="esp",
    fp="ebp",
    prstatus=NoteRegisters(
        size=144,
        pid=24,
        first=72,
        names=(
            *("ebx", "ecx", "edx", "esi", "edi", "ebp", "eax", "ds", "es", "fs", "gs"),
            *("orig_eax", "eip", "cs", "eflags", "esp", "ss"),
        ),
    ),
    module="oopscope.machine.i386.machine",
    pagings={
        "2-level": Paging((Level(22, 10, LARGE), Level(12, 10, -1)), _PRESENT, 0xFFFFF000, struct.Struct("<I")),
        "PAE": Paging(
            (Level(30, 2, 0), Level(21, 9, LARGE), Level(12, 9, -1)),
            _PRESENT,
            (1 << 52) - (1 << 12),
            struct.Struct("<Q"),
        ),
    },
)
