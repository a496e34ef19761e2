"""riscv64's loads, stores, atomic instructions and jumps through registers, as rows of bits.

Follows the RISC-V unprivileged specification: RV64I, A, F, D, C, and Zicboz for cbo.zero.
"""

from oopscope.kernel.machine import Registers
from oopscope.machine.common.forms import Done, Form, Names, Note, Number, done
from oopscope.machine.riscv64.arch import GENERAL

# x0 is always 0; the others are by the names of the calling convention.
_ABI = ("", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", *(f"a{n}" for n in range(8)))
NAMES = Names((*_ABI, *(f"s{n}" for n in range(2, 12)), "t3", "t4", "t5", "t6"), ())
assert set(NAMES.bases[1:]) < set(GENERAL)
READS, WRITES, BOTH = "reads", "writes", "reads and writes"
CACHE_LINE = 64  # bytes that cbo.zero clears on nearly every processor
_BASE, _SHORT = Number(((15, 5, 0),)), Number(((7, 3, 0),), plus=8)  # the short ones are s0 to a5
_LOAD = Number(((20, 12, 0),), 12)
_STORE = Number(((7, 5, 0), (25, 7, 5)), 12)
_ATOMIC = {
    0: "amoadd",
    1: "amoswap",
    2: "lr",
    3: "sc",
    4: "amoxor",
    5: "amocas",
    8: "amoor",
    12: "amoand",
    16: "amomin",
    20: "amomax",
    24: "amominu",
    28: "amomaxu",
}
_WORD, _DOUBLE = Number(((10, 3, 3), (6, 1, 2), (5, 1, 6))), Number(((10, 3, 3), (5, 2, 6)))
_LWSP, _LDSP = Number(((12, 1, 5), (4, 3, 2), (2, 2, 6))), Number(((12, 1, 5), (5, 2, 3), (2, 3, 6)))
_SWSP, _SDSP = Number(((9, 4, 2), (7, 2, 6))), Number(((10, 3, 3), (7, 3, 6)))

FORMS = (
    *(
        Form(0x707F, 0x03 | kind << 12, name, READS, 1 << (kind & 3), _BASE, _LOAD)
        for kind, name in enumerate(("lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"))
    ),
    *(
        Form(0x707F, 0x23 | kind << 12, name, WRITES, 1 << kind, _BASE, _STORE)
        for kind, name in enumerate(("sb", "sh", "sw", "sd"))
    ),
    *(Form(0x707F, 0x07 | kind << 12, name, READS, 1 << kind, _BASE, _LOAD) for kind, name in ((2, "flw"), (3, "fld"))),
    *(
        Form(0x707F, 0x27 | kind << 12, name, WRITES, 1 << kind, _BASE, _STORE)
        for kind, name in ((2, "fsw"), (3, "fsd"))
    ),
    *(
        Form(
            0xF800707F,
            number << 27 | 0x2F | log << 12,
            f"{name}.{'wd'[log - 2]}",
            READS if name == "lr" else WRITES if name == "sc" else BOTH,
            1 << log,
            _BASE,
        )
        for number, name in _ATOMIC.items()
        for log in (2, 3)
    ),
    Form(0xFFF07FFF, 0x0040200F, "cbo.zero", WRITES, CACHE_LINE, _BASE),
    Form(0x7FFF, 0x67, "jalr", "jumps to", 0, _BASE, _LOAD),
    *(Form(0x7FFF, 0x67 | to << 7, "jalr", "calls", 0, _BASE, _LOAD) for to in (1, 5)),
    # Half a word long.
    *(
        Form(0xE003, kind << 13, f"c.{name}", verb, size, _SHORT, _WORD if size == 4 else _DOUBLE)
        for kind, name, verb, size in (
            *((1, "fld", READS, 8), (2, "lw", READS, 4), (3, "ld", READS, 8)),
            *((5, "fsd", WRITES, 8), (6, "sw", WRITES, 4), (7, "sd", WRITES, 8)),
        )
    ),
    *(
        Form(0xE003, kind << 13 | 2, f"c.{name}sp", verb, size, "sp", moved)
        for kind, name, verb, size, moved in (
            *((1, "fld", READS, 8, _LDSP), (2, "lw", READS, 4, _LWSP), (3, "ld", READS, 8, _LDSP)),
            *((5, "fsd", WRITES, 8, _SDSP), (6, "sw", WRITES, 4, _SWSP), (7, "sd", WRITES, 8, _SDSP)),
        )
    ),
    *(
        Form(0xFFFF, bits | number << 7, name, verb, 0, NAMES.bases[number])
        for bits, name, verb in ((0x8002, "c.jr", "jumps to"), (0x9002, "c.jalr", "calls"))
        for number in range(1, 32)
    ),
)
NOTES = (
    Note(0xFFFFFFFF, 0x00100073, "where BUG() and WARN() stop"),
    Note(0xFFFF, 0x9002, "where BUG() and WARN() stop"),
    Note(0xFFFF, 0x0000, "no instruction"),
)


def uses(code: bytes, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon the instruction that some code begins with; None for one that uses no memory.

    The lowest two bits tell how long it is.
    """
    size = 4 if code and code[0] & 3 == 3 else 2
    return (
        done(int.from_bytes(code[:size], "little"), pc, FORMS, NOTES, NAMES, known, top) if len(code) >= size else None
    )
