"""PowerPC's loads, stores and jumps through registers, as rows of bits.

Follows the Power ISA, book I, 3.3 (fixed-point storage access), 4.6 and 7.6; prefixed instructions are left out.
"""

from oopscope.kernel.machine import Registers
from oopscope.machine.common.forms import Done, Form, Names, Note, Number, done

GENERAL = tuple(f"gpr{n}" for n in range(32))
NAMES = Names(("", *GENERAL[1:]), GENERAL)  # as a base 0 is no register
READS, WRITES = "reads", "writes"
CACHE_LINE = 128  # bytes that dcbz clears on the processors of 64 bits
_BASE, _INDEX = Number(((16, 5, 0),)), Number(((11, 5, 0),))
_D, _DS, _DQ = Number(((0, 16, 0),), 16), Number(((2, 14, 2),), 16), Number(((4, 12, 4),), 16)
_BY_OPCODE = (
    *((32, "lwz", 4), (33, "lwzu", 4), (34, "lbz", 1), (35, "lbzu", 1), (36, "stw", 4), (37, "stwu", 4)),
    *((38, "stb", 1), (39, "stbu", 1), (40, "lhz", 2), (41, "lhzu", 2), (42, "lha", 2), (43, "lhau", 2)),
    *((44, "sth", 2), (45, "sthu", 2), (48, "lfs", 4), (49, "lfsu", 4), (50, "lfd", 8), (51, "lfdu", 8)),
    *((52, "stfs", 4), (53, "stfsu", 4), (54, "stfd", 8), (55, "stfdu", 8)),
)
_BY_TWO_BITS = (
    *((58, 0, "ld", 8), (58, 1, "ldu", 8), (58, 2, "lwa", 4), (62, 0, "std", 8), (62, 1, "stdu", 8)),
    (62, 2, "stq", 16),
)
_INDEXED = (
    *((21, "ldx", 8), (53, "ldux", 8), (149, "stdx", 8), (181, "stdux", 8), (23, "lwzx", 4), (55, "lwzux", 4)),
    *((87, "lbzx", 1), (119, "lbzux", 1), (151, "stwx", 4), (183, "stwux", 4), (215, "stbx", 1), (247, "stbux", 1)),
    *((279, "lhzx", 2), (311, "lhzux", 2), (343, "lhax", 2), (375, "lhaux", 2), (407, "sthx", 2), (439, "sthux", 2)),
    *((341, "lwax", 4), (373, "lwaux", 4), (20, "lwarx", 4), (84, "ldarx", 8), (52, "lbarx", 1), (116, "lharx", 2)),
    *((276, "lqarx", 16), (150, "stwcx.", 4), (214, "stdcx.", 8), (694, "stbcx.", 1), (726, "sthcx.", 2)),
    *((532, "ldbrx", 8), (534, "lwbrx", 4), (790, "lhbrx", 2), (660, "stdbrx", 8), (662, "stwbrx", 4)),
    *((918, "sthbrx", 2), (1014, "dcbz", CACHE_LINE), (103, "lvx", 16), (231, "stvx", 16), (844, "lxvd2x", 16)),
    *((972, "stxvd2x", 16), (780, "lxvw4x", 16), (908, "stxvw4x", 16), (535, "lfsx", 4), (599, "lfdx", 8)),
    *((663, "stfsx", 4), (727, "stfdx", 8)),
)


def _verb(name: str) -> str:
    return WRITES if name.startswith(("st", "dcbz")) else READS


FORMS = (
    *(Form(0xFC000000, code << 26, name, _verb(name), size, _BASE, _D) for code, name, size in _BY_OPCODE),
    *(
        Form(0xFC000003, code << 26 | last, name, _verb(name), size, _BASE, _DS)
        for code, last, name, size in _BY_TWO_BITS
    ),
    Form(0xFC00000F, 56 << 26, "lq", READS, 16, _BASE, _DQ),
    Form(0xFC000007, 61 << 26 | 1, "lxv", READS, 16, _BASE, _DQ),
    Form(0xFC000007, 61 << 26 | 5, "stxv", WRITES, 16, _BASE, _DQ),
    *(
        Form(0xFC0007FE, 31 << 26 | code << 1, name, _verb(name), size, _BASE, 0, _INDEX)
        for code, name, size in _INDEXED
    ),
    Form(0xFFFFFFFF, 0x4E800421, "bctrl", "calls", 0, "ctr"),
    Form(0xFFFFFFFF, 0x4E800420, "bctr", "jumps to", 0, "ctr"),
    Form(0xFFFFFFFF, 0x4E800021, "blrl", "calls", 0, "link"),
    Form(0xFFFFFFFF, 0x4E800020, "blr", "jumps to", 0, "link"),
)
# arch/powerpc/include/asm/bug.h
NOTES = (
    Note(0xFFFFFFFF, 0x0FE00000, "where BUG() and WARN() stop"),  # twui r0, 0
    Note(0xFFE0FFFF, 0x0B000000, "where BUG_ON() and WARN_ON() stop"),  # tdnei rN, 0
    Note(0xFFFFFFFF, 0x00000000, "no instruction"),
)


def uses_word(word: int, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon an instruction; None for one that uses no memory."""
    return done(word, pc, FORMS, NOTES, NAMES, known, top)


def uses(code: bytes, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon the instruction that some code begins with; None for one that uses no memory."""
    return uses_word(int.from_bytes(code[:4], "little"), pc, known, top) if len(code) >= 4 else None
