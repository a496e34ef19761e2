"""What loads, stores and jumps through registers do, by tables of the forms that a machine's instructions have.

A row says by which bits an instruction is known and where in it the registers and numbers stand that its address comes
from. An instruction that several rows know uses memory in several places. It knows no kernel and no dump.
"""

from collections.abc import Sequence
from typing import NamedTuple

from oopscope.kernel.machine import Reckoned, Registers, Use

Piece = tuple[
    int, int, int
]  # the lowest of some bits of an instruction, how many they are, where they stand in a number


class Number(NamedTuple):
    """A number in an instruction, put together of pieces."""

    pieces: tuple[Piece, ...]
    signed: int = 0  # bits of the whole number where its topmost is a sign; 0 for an unsigned one
    plus: int = 0
    negative: bool = False  # an instruction subtracts it

    def of(self, word: int) -> int:
        """Return the number that an instruction has."""
        value = sum((word >> low & (1 << bits) - 1) << to for low, bits, to in self.pieces)
        if self.signed and value >> self.signed - 1 & 1:
            value -= 1 << self.signed
        return (-value if self.negative else value) + self.plus


class Form(NamedTuple):
    """One form of an instruction: `word & mask == value`, and what it does with memory."""

    mask: int
    value: int
    mnemonic: str
    verb: str  # as of a Use
    size: int | Number  # bytes; 0 of a jump
    base: Number | str  # which register, or its name
    displacement: int | Number = 0
    indexed: Number | None = None
    extend: str = ""  # how an index register is taken: "uxtw" or "sxtw" for its lower half
    scale: int = 1  # of an index
    times: int | Number = 1  # how many that follow each other, of `size` each


class Note(NamedTuple):
    """An instruction that uses no memory and stops: what is to be said of it."""

    mask: int
    value: int
    words: str


class Names(NamedTuple):
    """The registers by their numbers, as a crash note has them; "" where the number stands for nothing."""

    bases: tuple[str, ...]
    indexes: tuple[str, ...]


class Done(NamedTuple):
    """What an instruction did with some registers, and its mnemonic where the tables know it."""

    mnemonic: str
    reckoned: Reckoned


def done(
    word: int, pc: int, forms: Sequence[Form], notes: Sequence[Note], names: Names, known: Registers, top: int
) -> Done | None:
    """Reckon an instruction that ran with some registers; None for one that the tables do not have.

    top: the first address that there is not.
    """
    found = [form for form in forms if word & form.mask == form.value]
    words = next((note.words for note in notes if word & note.mask == note.value), "")
    if not found:
        return Done("", Reckoned((), (), words)) if words else None
    uses, named = list[Use](), list[str]()
    for form in found:
        base = form.base if isinstance(form.base, str) else names.bases[form.base.of(word)]
        index = names.indexes[form.indexed.of(word)] if form.indexed is not None else ""
        named += [name for name in (base, index) if name and name in known]
        uses += _uses(form, word, base, index, {**known, "pc": pc} if base == "pc" else known, top)
    return Done(found[0].mnemonic, Reckoned(tuple(uses), tuple(dict.fromkeys(named)), words))


def _number(one: int | Number, word: int) -> int:
    return one if isinstance(one, int) else one.of(word)


def _uses(form: Form, word: int, base: str, index: str, known: Registers, top: int) -> list[Use]:
    """Reckon the addresses of one form; none where a register is not known."""
    if (base and base not in known) or (index and index not in known):
        return []
    size, displacement = _number(form.size, word), _number(form.displacement, word)
    address, parts = known.get(base, 0), [base] if base else []
    if index:
        address += form.scale * _extended(known[index], form.extend)
        taken = f"{form.extend}({index})" if form.extend else index
        parts.append(f"{taken} * {form.scale}" if form.scale > 1 else taken)
    alone = base if base and not index else ""
    found = []
    for at in range(_number(form.times, word)):
        more = displacement + at * size
        formula = " + ".join(parts)
        if more:
            formula += f" {'-' if more < 0 else '+'} {abs(more):#x}" if parts else f"{more % top:#x}"
        found.append(Use(form.verb, formula, (address + more) % top, size, alone, more if alone else 0))
    return found


def _extended(value: int, extend: str) -> int:
    if not extend:
        return value
    half = value & 0xFFFFFFFF
    return half - (1 << 32) if extend == "sxtw" and half >> 31 else half
