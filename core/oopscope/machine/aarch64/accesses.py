"""arm64's loads, stores, atomic instructions and branches to registers, as rows of bits.

Follows the Arm ARM, C4.1.95 "Loads and Stores", and C6 for each instruction.
"""

from collections.abc import Iterator

from oopscope.kernel.machine import Registers
from oopscope.machine.common.forms import Done, Form, Names, Note, Number, done

GENERAL = tuple(f"x{n}" for n in range(31))
NAMES = Names((*GENERAL, "sp"), (*GENERAL, ""))
SUFFIXES = ("b", "h", "", "")
_BASE, _TARGET, _INDEX = Number(((5, 5, 0),)), Number(((0, 5, 0),)), Number(((16, 5, 0),))
_UNSCALED = Number(((12, 9, 0),), 9)
READS, WRITES, BOTH = "reads", "writes", "reads and writes"
CACHE_LINE = 64  # bytes that DC ZVA clears on nearly every processor; DCZID_EL0 says it
OPERATIONS = ("add", "clr", "eor", "set", "smax", "smin", "umax", "umin")
EXTENDS = {2: "uxtw", 3: "", 6: "sxtw", 7: ""}
INDEXED = ("{}ur", "{}r", "{}tr", "{}r")  # unscaled, after, unprivileged, before, by bits 11..10
BLOCKS = {0: 4, 2: 4, 4: 3, 6: 3, 7: 1, 8: 2, 10: 2}  # registers of a structure's load, by bits 15..12
LINES = (
    *(("zva", 0xD50B7420, WRITES), ("gva", 0xD50B7460, WRITES), ("gzva", 0xD50B7480, WRITES)),
    *(("cvac", 0xD50B7A20, "cleans"), ("cvau", 0xD50B7B20, "cleans"), ("civac", 0xD50B7E20, "cleans")),
    ("ivac", 0xD5087620, "cleans"),
)


def _kinds() -> Iterator[tuple[int, str, str, str, int]]:
    """Yield each kind of single register: its bits, how its name begins and ends, what it does, log2 of its bytes."""
    for size, suffix in enumerate(SUFFIXES):
        yield size << 30, "st", suffix, WRITES, size
        yield size << 30 | 1 << 22, "ld", suffix, READS, size
        yield size << 30 | 1 << 26, "st", "", WRITES, size
        yield size << 30 | 1 << 26 | 1 << 22, "ld", "", READS, size
        for opc in (2, 3)[: max(0, 3 - size) if size < 2 else 3 - size]:
            yield size << 30 | opc << 22, "ld", f"s{suffix or 'w'}", READS, size
    yield 1 << 26 | 2 << 22, "st", "", WRITES, 4
    yield 1 << 26 | 3 << 22, "ld", "", READS, 4


def _single() -> Iterator[Form]:
    for bits, begin, end, verb, log in _kinds():
        size = 1 << log
        name = f"{begin}r{end}"
        yield Form(0xFFC00000, 0x39000000 | bits, name, verb, size, _BASE, Number(((10, 12, log),)))
        for kind, pattern in enumerate(INDEXED):
            if kind == 2 and bits >> 26 & 1:
                continue  # there is none of vector registers
            moved = 0 if kind == 1 else _UNSCALED
            value = 0x38000000 | bits | kind << 10
            yield Form(0xFFE00C00, value, pattern.format(begin) + end, verb, size, _BASE, moved)
        for option, extend in EXTENDS.items():
            for shifted in (0, 1):
                value = 0x38200800 | bits | option << 13 | shifted << 12
                scale = size if shifted else 1
                yield Form(0xFFE0FC00, value, name, verb, size, _BASE, 0, _INDEX, extend, scale)
        if not bits >> 26 & 1:
            name = f"{begin}{'apur' if begin == 'ld' else 'lur'}{end}"
            yield Form(0xFFE00C00, 0x19000000 | bits, name, verb, size, _BASE, _UNSCALED)


def _pairs() -> Iterator[Form]:
    kinds = [(0, 0, 2), (2, 0, 3), (0, 1, 2), (1, 1, 3), (2, 1, 4)]
    for opc, vector, log in kinds:
        for load in (0, 1):
            for mode in range(4):
                value = opc << 30 | 0x28000000 | vector << 26 | mode << 23 | load << 22
                name = ("ldnp" if load else "stnp") if mode == 0 else "ldp" if load else "stp"
                moved = 0 if mode == 1 else Number(((15, 7, log),), 7 + log)
                verb = READS if load else WRITES
                yield Form(0xFFC00000, value, name, verb, 1 << log, _BASE, moved, times=2)
    for mode in (1, 2, 3):
        moved = 0 if mode == 1 else Number(((15, 7, 2),), 9)
        yield Form(0xFFC00000, 0x68400000 | mode << 23, "ldpsw", READS, 4, _BASE, moved, times=2)


def _exclusive() -> Iterator[Form]:
    for size, suffix in enumerate(SUFFIXES):
        for load in (0, 1):
            for ordered in (0, 1):
                bits, verb = size << 30 | 0x08000000 | load << 22 | ordered << 15, READS if load else WRITES
                acquire = ("a" if load else "l") if ordered else ""
                begin = f"{'ld' if load else 'st'}{acquire}"
                yield Form(0xFFE08000, bits, f"{begin}xr{suffix}", verb, 1 << size, _BASE)
                order = ("lar", "ar") if load else ("llr", "lr")
                name = f"{begin[:2]}{order[ordered]}{suffix}"
                yield Form(0xFFE08000, bits | 1 << 23, name, verb, 1 << size, _BASE)
                cas = f"cas{'a' if load else ''}{'l' if ordered else ''}{suffix}"
                yield Form(0xFFE08000, bits | 5 << 21, cas, BOTH, 1 << size, _BASE)
                if size >= 2:
                    yield Form(0xFFE08000, bits | 1 << 21, f"{begin}xp", verb, 1 << size, _BASE, times=2)
                else:
                    casp = f"casp{'a' if load else ''}{'l' if ordered else ''}"
                    yield Form(0xFFE08000, bits | 1 << 21, casp, BOTH, 4 << size, _BASE, times=2)


def _atomic() -> Iterator[Form]:
    for size, suffix in enumerate(SUFFIXES):
        for order, word in enumerate(("", "l", "a", "al")):
            bits = size << 30 | 0x38200000 | order << 22
            for number, name in enumerate(OPERATIONS):
                value = bits | number << 12
                if not order & 2:  # the old value is thrown away
                    thrown = f"st{name}{word}{suffix}"
                    yield Form(0xFFE0FC1F, value | 31, thrown, BOTH, 1 << size, _BASE)
                yield Form(0xFFE0FC00, value, f"ld{name}{word}{suffix}", BOTH, 1 << size, _BASE)
            yield Form(0xFFE0FC00, bits | 1 << 15, f"swp{word}{suffix}", BOTH, 1 << size, _BASE)
        value = size << 30 | 0x38BFC000
        yield Form(0xFFFFFC00, value, f"ldapr{suffix}", READS, 1 << size, _BASE)


def _others() -> Iterator[Form]:
    for opc, vector, name, size in (
        *((0, 0, "ldr", 4), (1, 0, "ldr", 8), (2, 0, "ldrsw", 4)),
        *((0, 1, "ldr", 4), (1, 1, "ldr", 8), (2, 1, "ldr", 16)),
    ):
        value = opc << 30 | 0x18000000 | vector << 26
        yield Form(0xFF000000, value, name, READS, size, "pc", Number(((5, 19, 2),), 21))
    signed = Number(((12, 9, 3), (22, 1, 12)), 13)
    for key, name in enumerate(("ldraa", "ldrab")):
        for written in (0, 1):
            value = 0xF8200400 | key << 23 | written << 11
            yield Form(0xFFA00C00, value, name, READS, 8, _BASE, signed)
    for name, value, verb in LINES:
        yield Form(0xFFFFFFE0, value, f"dc {name}", verb, CACHE_LINE, _TARGET)


def _structures() -> Iterator[Form]:
    for wide in (0, 1):
        for load, name in enumerate(("st", "ld")):
            for opcode, registers in BLOCKS.items():
                size = registers * (8 << wide)
                value, verb = wide << 30 | 0x0C000000 | load << 22 | opcode << 12, (WRITES, READS)[load]
                words = f"{name}{1 if opcode not in (0, 4, 8) else registers}"
                yield Form(0xFFFFF000, value, words, verb, size, _BASE)
                yield Form(0xFFE0F000, value | 1 << 23, words, verb, size, _BASE)


def _branches() -> Iterator[Form]:
    for value, name, verb in ((0xD63F0000, "blr", "calls"), (0xD61F0000, "br", "jumps to")):
        yield Form(0xFFFFFC1F, value, name, verb, 0, _BASE)
        for bits, end in ((0x0000081F, "aaz"), (0x00000C1F, "abz"), (0x01000800, "aa"), (0x01000C00, "ab")):
            yield Form(0xFFFFFC1F if bits & 31 else 0xFFFFFC00, value | bits, name + end, verb, 0, _BASE)
    yield Form(0xFFFFFC1F, 0xD65F0000, "ret", "jumps to", 0, _BASE)
    for value, name in ((0xD65F0BFF, "retaa"), (0xD65F0FFF, "retab")):
        yield Form(0xFFFFFFFF, value, name, "jumps to", 0, "x30")


FORMS = (*_single(), *_pairs(), *_exclusive(), *_atomic(), *_others(), *_structures(), *_branches())
# arch/arm64/include/asm/brk-imm.h
NOTES = (
    Note(0xFFFFFFFF, 0xD4210000, "where BUG() and WARN() stop"),
    Note(0xFFFFFFFF, 0xD4202000, "what code is filled with that must not run"),
    Note(0xFFFFE01F, 0xD4212000, "where KASAN stops"),
    Note(0xFFFFE01F, 0xD42AA000, "where a sanitizer stops"),
    Note(0xFFFF801F, 0xD4300000, "where a check of an indirect call's type stops"),
    Note(0xFFFF0000, 0x00000000, "no instruction"),
)


def uses(code: bytes, pc: int, known: Registers, top: int) -> Done | None:
    """Reckon the instruction that some code begins with; None for one that uses no memory."""
    return done(int.from_bytes(code[:4], "little"), pc, FORMS, NOTES, NAMES, known, top) if len(code) >= 4 else None
