"""ARM's loads, stores and jumps through registers, as rows of bits.

Follows the Arm Architecture Reference Manual for ARMv7-A, A5 and A8.8. The conditions under which one runs are left
out, since one that faulted ran, and of several registers that are loaded or stored only the first is told.
"""

from oopscope.kernel.machine import Registers
from oopscope.machine.arm.arch import PT_REGS
from oopscope.machine.common.forms import Done, Form, Names, Note, Number, done

NAMES = Names(PT_REGS[:16], PT_REGS[:16])
READS, WRITES = "reads", "writes"
_BASE, _INDEX = Number(((16, 4, 0),)), Number(((0, 4, 0),))
_WORD, _HALF = ((0, 12, 0),), ((0, 4, 0), (8, 4, 4))
UP, BEFORE, LOAD, BYTE = 1 << 23, 1 << 24, 1 << 20, 1 << 22
SHIFTS = range(5)  # of an index: up to 16 times
_KINDS = ((LOAD, "ldr", READS, 4), (0, "str", WRITES, 4), (LOAD | BYTE, "ldrb", READS, 1), (BYTE, "strb", WRITES, 1))
_HALVES = (
    (LOAD, 1, "ldrh", READS, 2),
    (LOAD, 2, "ldrsb", READS, 1),
    (LOAD, 3, "ldrsh", READS, 2),
    (0, 1, "strh", WRITES, 2),
    (0, 2, "ldrd", READS, 8),
    (0, 3, "strd", WRITES, 8),
)


def _moved(up: int, pieces: tuple[tuple[int, int, int], ...]) -> Number:
    return Number(pieces, negative=not up)


FORMS = (
    *(
        Form(0x0FD00000, 0x05000000 | up | bits, name, verb, size, _BASE, _moved(up, _WORD))
        for bits, name, verb, size in _KINDS
        for up in (UP, 0)
    ),
    # The base is changed afterwards: its first bits are of an opcode that is used for what a program may, too.
    *(Form(0x0F700000, 0x04000000 | bits, name, verb, size, _BASE) for bits, name, verb, size in _KINDS),
    *(
        Form(0x0FD00FF0, 0x07000000 | UP | bits | shift << 7, name, verb, size, _BASE, 0, _INDEX, "", 1 << shift)
        for bits, name, verb, size in _KINDS
        for shift in SHIFTS
    ),
    *(
        Form(0x0FD000F0, 0x01400090 | up | bits | kind << 5, name, verb, size, _BASE, _moved(up, _HALF))
        for bits, kind, name, verb, size in _HALVES
        for up in (UP, 0)
    ),
    *(
        Form(0x0FD00FF0, 0x01000090 | UP | bits | kind << 5, name, verb, size, _BASE, 0, _INDEX)
        for bits, kind, name, verb, size in _HALVES
    ),
    Form(0x0FD00000, 0x08900000, "ldm", READS, 4, _BASE),
    Form(0x0FD00000, 0x08800000, "stm", WRITES, 4, _BASE),
    Form(0x0FD00000, 0x09900000, "ldmib", READS, 4, _BASE, 4),
    Form(0x0FD00000, 0x09800000, "stmib", WRITES, 4, _BASE, 4),
    Form(0x0FF00FFF, 0x01900F9F, "ldrex", READS, 4, _BASE),
    Form(0x0FF00FF0, 0x01800F90, "strex", WRITES, 4, _BASE),
    Form(0x0FFFFFF0, 0x012FFF30, "blx", "calls", 0, Number(((0, 4, 0),))),
    Form(0x0FFFFFF0, 0x012FFF10, "bx", "jumps to", 0, Number(((0, 4, 0),))),
)
# arch/arm/include/asm/bug.h, opcodes.h
NOTES = (Note(0x0FFFFFFF, 0x07F001F2, "where BUG() stops"),)


def uses(code: bytes, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon the instruction that some code begins with; None for one that uses no memory."""
    return done(int.from_bytes(code[:4], "little"), pc, FORMS, NOTES, NAMES, known, top) if len(code) >= 4 else None
