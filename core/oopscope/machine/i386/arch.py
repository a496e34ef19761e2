"""i386: page tables of two levels, or three with PAE, and the registers of its crash notes.

Follows the Intel SDM volume 3 chapter 4 and arch/x86/include/asm/user_32.h.
"""

import struct

from oopscope.arch import ALWAYS, Arch, Bits, Level, NoteRegisters, Paging

_PRESENT = Bits(1, 1)
_SMALL = Bits(1 << 7, 0)  # without the bit of a large page
_FRAME = 0xFFFFF000
_PAE_FRAME = (1 << 52) - (1 << 12)

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
        "2-level": Paging(
            (Level(22, 10, _PRESENT, _SMALL, _FRAME), Level(12, 10, _PRESENT, None, _FRAME)), struct.Struct("<I")
        ),
        "PAE": Paging(
            (
                Level(30, 2, _PRESENT, ALWAYS, _PAE_FRAME),
                Level(21, 9, _PRESENT, _SMALL, _PAE_FRAME),
                Level(12, 9, _PRESENT, None, _PAE_FRAME),
            ),
            struct.Struct("<Q"),
        ),
    },
)
