"""s390x's loads, stores, what works on storage and branches to registers, as rows of bits.

Follows the z/Architecture Principles of Operation, chapters 5 (formats) and 7. An instruction is taken as the six bytes
from where it begins, the first the highest; it is two, four or six long. Register 0 as a base or an index is none.
"""

from collections.abc import Iterator

from oopscope.kernel.machine import Registers
from oopscope.machine.common.forms import Done, Form, Names, Note, Number, done

NAMES = Names(("", *(f"r{n}" for n in range(1, 16))), ("", *(f"r{n}" for n in range(1, 16))))
READS, WRITES, BOTH = "reads", "writes", "reads and writes"
SIZE = 6
_BASE, _INDEX, _SHORT = Number(((28, 4, 0),)), Number(((32, 4, 0),)), Number(((16, 12, 0),))
_LONG = Number(((16, 12, 0), (8, 8, 12)), 20)
_SECOND, _SECOND_MOVED = Number(((12, 4, 0),)), Number(((0, 12, 0),))
_LENGTH = Number(((32, 8, 0),), plus=1)
# By the first byte: a register and storage with an index.
_RX = (
    *((0x40, "sth", WRITES, 2), (0x42, "stc", WRITES, 1), (0x43, "ic", READS, 1), (0x48, "lh", READS, 2)),
    *((0x49, "ch", READS, 2), (0x4A, "ah", READS, 2), (0x4B, "sh", READS, 2), (0x4C, "mh", READS, 2)),
    *((0x50, "st", WRITES, 4), (0x54, "n", READS, 4), (0x55, "cl", READS, 4), (0x56, "o", READS, 4)),
    *((0x57, "x", READS, 4), (0x58, "l", READS, 4), (0x59, "c", READS, 4), (0x5A, "a", READS, 4)),
    *((0x5B, "s", READS, 4), (0x5C, "m", READS, 4), (0x5D, "d", READS, 4), (0x5E, "al", READS, 4)),
    *((0x5F, "sl", READS, 4), (0x60, "std", WRITES, 8), (0x68, "ld", READS, 8), (0x70, "ste", WRITES, 4)),
    *((0x71, "ms", READS, 4), (0x78, "le", READS, 4)),
)
# By the first byte, 0xE3, and the last: the same with twenty bits of displacement.
_RXY = (
    *((0x02, "ltg", READS, 8), (0x04, "lg", READS, 8), (0x08, "ag", READS, 8), (0x09, "sg", READS, 8)),
    *((0x0A, "alg", READS, 8), (0x0B, "slg", READS, 8), (0x0C, "msg", READS, 8), (0x0D, "dsg", READS, 8)),
    *((0x0F, "lrvg", READS, 8), (0x12, "lt", READS, 4), (0x14, "lgf", READS, 4), (0x15, "lgh", READS, 2)),
    *((0x16, "llgf", READS, 4), (0x17, "llgt", READS, 4), (0x18, "agf", READS, 4), (0x19, "sgf", READS, 4)),
    *((0x1A, "algf", READS, 4), (0x1B, "slgf", READS, 4), (0x1D, "dsgf", READS, 4), (0x1E, "lrv", READS, 4)),
    *((0x1F, "lrvh", READS, 2), (0x20, "cg", READS, 8), (0x21, "clg", READS, 8), (0x24, "stg", WRITES, 8)),
    *((0x2F, "strvg", WRITES, 8), (0x30, "cgf", READS, 4), (0x31, "clgf", READS, 4), (0x32, "ltgf", READS, 4)),
    *((0x34, "cgh", READS, 2), (0x3E, "strv", WRITES, 4), (0x3F, "strvh", WRITES, 2), (0x50, "sty", WRITES, 4)),
    *((0x51, "msy", READS, 4), (0x54, "ny", READS, 4), (0x55, "cly", READS, 4), (0x56, "oy", READS, 4)),
    *((0x57, "xy", READS, 4), (0x58, "ly", READS, 4), (0x59, "cy", READS, 4), (0x5A, "ay", READS, 4)),
    *((0x5B, "sy", READS, 4), (0x5E, "aly", READS, 4), (0x5F, "sly", READS, 4), (0x70, "sthy", WRITES, 2)),
    *((0x72, "stcy", WRITES, 1), (0x73, "icy", READS, 1), (0x76, "lb", READS, 1), (0x77, "lgb", READS, 1)),
    *((0x78, "lhy", READS, 2), (0x79, "chy", READS, 2), (0x7A, "ahy", READS, 2), (0x7B, "shy", READS, 2)),
    *((0x80, "ng", READS, 8), (0x81, "og", READS, 8), (0x82, "xg", READS, 8), (0x86, "mlg", READS, 8)),
    *((0x87, "dlg", READS, 8), (0x88, "alcg", READS, 8), (0x89, "slbg", READS, 8), (0x8E, "stpq", WRITES, 16)),
    *((0x8F, "lpq", READS, 16), (0x90, "llgc", READS, 1), (0x91, "llgh", READS, 2), (0x94, "llc", READS, 1)),
    *((0x95, "llh", READS, 2), (0x96, "ml", READS, 4), (0x97, "dl", READS, 4)),
)
# By the first byte, 0xEB, and the last: two registers and storage.
_RSY = (
    *((0x14, "csy", BOTH, 4), (0x30, "csg", BOTH, 8), (0x3E, "cdsg", BOTH, 16), (0xE2, "locg", READS, 8)),
    *((0xE3, "stocg", WRITES, 8), (0xE4, "lang", BOTH, 8), (0xE6, "laog", BOTH, 8), (0xE7, "laxg", BOTH, 8)),
    *((0xE8, "laag", BOTH, 8), (0xEA, "laalg", BOTH, 8), (0xF2, "loc", READS, 4), (0xF3, "stoc", WRITES, 4)),
    *((0xF4, "lan", BOTH, 4), (0xF6, "lao", BOTH, 4), (0xF7, "lax", BOTH, 4), (0xF8, "laa", BOTH, 4)),
    (0xFA, "laal", BOTH, 4),
)
_MANY = (  # the first register to the last, one behind the other
    *((0x04, "lmg", READS, 8), (0x24, "stmg", WRITES, 8), (0x90, "stmy", WRITES, 4), (0x98, "lmy", READS, 4)),
    *((0x9A, "lamy", READS, 4), (0x9B, "stamy", WRITES, 4)),
)
# A byte of the instruction and storage; the fourth byte of the first kind is 0xEB's last.
_SI = (
    *((0x91, 0x51, "tm", READS), (0x92, 0x52, "mvi", WRITES), (0x94, 0x54, "ni", BOTH)),
    *((0x95, 0x55, "cli", READS), (0x96, 0x56, "oi", BOTH), (0x97, 0x57, "xi", BOTH)),
)
_SIL = (
    *((0x44, "mvhhi", WRITES, 2), (0x48, "mvghi", WRITES, 8), (0x4C, "mvhi", WRITES, 4), (0x54, "chhsi", READS, 2)),
    *((0x55, "clhhsi", READS, 2), (0x58, "cghsi", READS, 8), (0x59, "clghsi", READS, 8), (0x5C, "chsi", READS, 4)),
    (0x5D, "clfhsi", READS, 4),
)
# Storage and storage: what is done with the first; the second is read.
_SS = ((0xD2, "mvc", WRITES), (0xD4, "nc", BOTH), (0xD5, "clc", READS), (0xD6, "oc", BOTH), (0xD7, "xc", BOTH))
_ADDED = ((0x6A, "asi", 4), (0x6E, "alsi", 4), (0x7A, "agsi", 8), (0x7E, "algsi", 8))
_TWO, _LAST, _HALVES = 0xFF00000000FF, 0xFF, 0xFFFF00000000


class _Between(Number):
    """How many registers from the first to the last, going on from 15 to 0."""

    def of(self, word: int) -> int:
        return ((word >> 32 & 15) - (word >> 36 & 15)) % 16 + 1


_REGISTERS = _Between(())


def _forms() -> Iterator[Form]:
    for code, name, verb, size in _RX:
        yield Form(0xFF0000000000, code << 40, name, verb, size, _BASE, _SHORT, _INDEX)
    for code, name, verb, size in _RXY:
        yield Form(_TWO, 0xE30000000000 | code, name, verb, size, _BASE, _LONG, _INDEX)
    for code, name, verb, size in _RSY:
        yield Form(_TWO, 0xEB0000000000 | code, name, verb, size, _BASE, _LONG)
    for code, name, verb, size in _MANY:
        yield Form(_TWO, 0xEB0000000000 | code, name, verb, size, _BASE, _LONG, times=_REGISTERS)


def _short() -> Iterator[Form]:
    for code, name, verb in ((0x90, "stm", WRITES), (0x98, "lm", READS), (0x9A, "lam", READS), (0x9B, "stam", WRITES)):
        yield Form(0xFF0000000000, code << 40, name, verb, 4, _BASE, _SHORT, times=_REGISTERS)
    for code, name, size in ((0xBA, "cs", 4), (0xBB, "cds", 8)):
        yield Form(0xFF0000000000, code << 40, name, BOTH, size, _BASE, _SHORT)
    for code, far, name, verb in _SI:
        yield Form(0xFF0000000000, code << 40, name, verb, 1, _BASE, _SHORT)
        yield Form(_TWO, 0xEB0000000000 | far, f"{name}y", verb, 1, _BASE, _LONG)
    for code, name, size in _ADDED:
        yield Form(_TWO, 0xEB0000000000 | code, name, BOTH, size, _BASE, _LONG)
    for code, name, verb, size in _SIL:
        yield Form(_HALVES, 0xE50000000000 | code << 32, name, verb, size, _BASE, _SHORT)


def _others() -> Iterator[Form]:
    for code, name, verb in _SS:
        yield Form(0xFF0000000000, code << 40, name, verb, _LENGTH, _BASE, _SHORT)
        yield Form(0xFF0000000000, code << 40, name, READS, _LENGTH, _SECOND, _SECOND_MOVED)
    for code, name, verb in ((0x06, "vl", READS), (0x0E, "vst", WRITES)):
        yield Form(_TWO, 0xE70000000000 | code, name, verb, 16, _BASE, _SHORT, _INDEX)
    yield Form(0xFFF000000000, 0x07F000000000, "br", "jumps to", 0, _INDEX)
    yield Form(0xFFF000000000, 0x0DE000000000, "basr", "calls", 0, _INDEX)


FORMS = (*_forms(), *_short(), *_others())
# arch/s390/include/asm/bug.h
NOTES = (
    Note(0xFFFFFFFF0000, 0xAF0000000000, "where BUG() and WARN() stop"),  # mc 0, 0
    Note(0xFFFF00000000, 0x000100000000, "where BUG() and WARN() stop"),
    Note(0xFFFF00000000, 0x000000000000, "no instruction"),
)


def uses(code: bytes, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon the instruction that some code begins with; None for one that uses no memory."""
    size = (2, 4, 4, 6)[code[0] >> 6] if code else SIZE
    if len(code) < size:
        return None
    return done(int.from_bytes(code[:size].ljust(SIZE, b"\0"), "big"), pc, FORMS, NOTES, NAMES, known, top)
