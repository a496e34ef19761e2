"""s390x: page tables of three to five levels, and the registers of its crash notes; big-endian.

Follows the z/Architecture Principles of Operation (dynamic address translation) and arch/s390/include/asm/{pgtable,
ptrace}.h. An entry maps something unless its invalid bit is set, which is another bit for a page than for a table.
"""

import struct

from oopscope.arch import ALWAYS, Arch, Bits, Convention, Level, NoteRegisters, Paging

_ORIGIN = (1 << 64) - 4096
_VALID, _VALID_PAGE = Bits(0x20, 0), Bits(0x400, 0)
_TABLE = Bits(0x400, 0)  # without the bit of a page of 1 MiB or 2 GiB
_PAGE = Level(12, 8, _VALID_PAGE, None, _ORIGIN)
_SEGMENT = Level(20, 11, _VALID, _TABLE, (1 << 64) - 2048, _ORIGIN)
_REGIONS = (
    Level(53, 11, _VALID, ALWAYS, _ORIGIN),
    Level(42, 11, _VALID, ALWAYS, _ORIGIN),
    Level(31, 11, _VALID, _TABLE, _ORIGIN),
)
GENERAL = ("psw_mask", "psw_addr", *(f"r{n}" for n in range(16)))

ARCH = Arch(
    name="s390x",
    machines=("s390x",),
    elf_machine=22,
    bits=64,
    byteorder="big",
    page_shift=12,
    pc="psw_addr",
    sp="r15",
    fp="r11",
    prstatus=NoteRegisters(size=336, pid=32, first=112, names=GENERAL),
    convention=Convention(  # ELF Application Binary Interface s390x Supplement, 1.2.2
        arguments=tuple(f"r{n}" for n in range(2, 7)),
        result="r2",
        clobbered=(*(f"r{n}" for n in range(6)), "r14"),
    ),
    module="oopscope.machine.s390x.machine",
    pagings={
        name: Paging((*_REGIONS[-count:], _SEGMENT, _PAGE), struct.Struct(">Q"))
        for name, count in (("region 3", 1), ("region 2", 2), ("region 1", 3))
    },
)
