"""loongarch64's loads, stores, atomic instructions and jumps through registers, as rows of bits.

Follows the LoongArch reference manual, volume 1, 2.2 and appendix B.
"""

from oopscope.kernel.machine import Registers
from oopscope.machine.common.forms import Done, Form, Names, Note, Number, done
from oopscope.machine.loongarch64.arch import GENERAL

# r0 is always 0; the others are by the names of the calling convention.
_OWN = ("", *GENERAL[1:])
NAMES = Names(_OWN, _OWN)
READS, WRITES, BOTH = "reads", "writes", "reads and writes"
_BASE, _INDEX = Number(((5, 5, 0),)), Number(((10, 5, 0),))
_SHORT, _WORDS, _JUMP = Number(((10, 12, 0),), 12), Number(((10, 14, 2),), 16), Number(((10, 16, 2),), 18)
# Mnemonic, what it does, bytes, by the upper ten bits: a distance of 12 bits follows.
_NEAR = (
    *((0xA0, "ld.b", READS, 1), (0xA1, "ld.h", READS, 2), (0xA2, "ld.w", READS, 4), (0xA3, "ld.d", READS, 8)),
    *((0xA4, "st.b", WRITES, 1), (0xA5, "st.h", WRITES, 2), (0xA6, "st.w", WRITES, 4), (0xA7, "st.d", WRITES, 8)),
    *((0xA8, "ld.bu", READS, 1), (0xA9, "ld.hu", READS, 2), (0xAA, "ld.wu", READS, 4)),
    *((0xAC, "fld.s", READS, 4), (0xAD, "fst.s", WRITES, 4), (0xAE, "fld.d", READS, 8), (0xAF, "fst.d", WRITES, 8)),
    *((0xB0, "vld", READS, 16), (0xB1, "vst", WRITES, 16), (0xB2, "xvld", READS, 32), (0xB3, "xvst", WRITES, 32)),
)
# The same by the upper eight bits: a distance of 14 bits in words.
_FAR = (
    *((0x20, "ll.w", READS, 4), (0x21, "sc.w", WRITES, 4), (0x22, "ll.d", READS, 8), (0x23, "sc.d", WRITES, 8)),
    *((0x24, "ldptr.w", READS, 4), (0x25, "stptr.w", WRITES, 4)),
    *((0x26, "ldptr.d", READS, 8), (0x27, "stptr.d", WRITES, 8)),
)
# The same by the upper seventeen bits, in steps of eight: another register is added.
_INDEXED = (
    *(("ldx.b", READS, 1), ("ldx.h", READS, 2), ("ldx.w", READS, 4), ("ldx.d", READS, 8)),
    *(("stx.b", WRITES, 1), ("stx.h", WRITES, 2), ("stx.w", WRITES, 4), ("stx.d", WRITES, 8)),
    *(("ldx.bu", READS, 1), ("ldx.hu", READS, 2), ("ldx.wu", READS, 4), ("preldx", "", 0)),
    *(("fldx.s", READS, 4), ("fldx.d", READS, 8), ("fstx.s", WRITES, 4), ("fstx.d", WRITES, 8)),
)
# One after the other by the upper seventeen bits, each of 4 and of 8 bytes; then all again with barriers (_db).
_ATOMIC = ("amswap", "amadd", "amand", "amor", "amxor", "ammax", "ammin", "ammax", "ammin")

FORMS = (
    *(Form(0xFFC00000, bits << 22, name, verb, size, _BASE, _SHORT) for bits, name, verb, size in _NEAR),
    *(Form(0xFF000000, bits << 24, name, verb, size, _BASE, _WORDS) for bits, name, verb, size in _FAR),
    *(
        Form(0xFFFF8000, 0x7000 + 8 * n << 15, name, verb, size, _BASE, indexed=_INDEX)
        for n, (name, verb, size) in enumerate(_INDEXED)
        if verb
    ),
    *(
        Form(0xFFFF8000, 0x70C0 + 18 * barrier + 2 * n + wide << 15, f"{name}{'_db' * barrier}", BOTH, 4 << wide, _BASE)
        for barrier in (0, 1)
        for n, name in enumerate(_ATOMIC)
        for wide in (0, 1)
    ),
    *(Form(0xFFFF8000, 0x70B0 + n << 15, "amcas", BOTH, 1 << (n & 3), _BASE) for n in range(8)),
    *(Form(0xFFFF8000, 0x70B8 + n << 15, "amadd" if n & 2 else "amswap", BOTH, 1 << (n & 1), _BASE) for n in range(8)),
    Form(0xFC00001F, 0x4C000000, "jirl", "jumps to", 0, _BASE, _JUMP),
    Form(0xFC00001F, 0x4C000001, "jirl", "calls", 0, _BASE, _JUMP),
)
NOTES = (
    Note(0xFFFFFFFF, 0x002A0001, "where BUG() and WARN() stop"),
    Note(0xFFFFFFFF, 0x002A0006, "where an overflow stops"),
    Note(0xFFFFFFFF, 0x002A0007, "where a division by zero stops"),
    Note(0xFFFFFFFF, 0x00000000, "no instruction"),
)


def uses(code: bytes, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon the instruction that some code begins with; None for one that uses no memory."""
    return done(int.from_bytes(code[:4], "little"), pc, FORMS, NOTES, NAMES, known, top) if len(code) >= 4 else None
