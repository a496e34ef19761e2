"""The card of memory: the words from an address on, each with what it may mean; `ADDRESS[/COUNT[/FORM]]`.

Forms: 8, 16, 32 and 64 are units of so many bits, `d` words in decimal, `a` a text, `p` a physical address.
"""

from typing import Any, NamedTuple

from oopscope.arch import ByteOrder
from oopscope.decode import decoded
from oopscope.errors import Implausible, OopscopeError
from oopscope.inspect.look_up import address_of
from oopscope.inspect.words import CHUNK, words
from oopscope.kernel.fact import Fact
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Part, Rows, Text
from oopscope.subsystems.cards.meaning import fact_of, link_of, words_of

COUNT = 16  # words that are shown where nobody says how many
MOST = 1 << 16
FORMS = ("", "8", "16", "32", "64", "d", "a", "p")
ROW = 16  # bytes of a row of units


class Stretch(NamedTuple):
    """What was asked for."""

    text: str
    address: int
    words: int
    form: str = ""


class UnitRow(NamedTuple):
    """Sixteen bytes as units of one size; None where they cannot be read."""

    address: int
    units: str | None
    ascii: str | None


class WordRow(NamedTuple):
    """A word; value None where it cannot be read."""

    address: int
    value: int | None
    ascii: str | None
    meaning: str | None
    sure: bool | None


def find(kernel: Kernel, key: int | str) -> Stretch:
    """Return an address, and how many words from there on."""
    text, _, rest = (f"{key:#x}" if isinstance(key, int) else key).partition("/")
    count, _, form = rest.partition("/")
    if form not in FORMS:
        raise Implausible(f"{form[:20]} is no form of memory: {', '.join(filter(None, FORMS))}")
    try:
        number = int(count, 0) if count else COUNT
    except ValueError:
        number = 0
    if not 0 < number <= MOST:
        raise Implausible(f"{count[:20]} is no count of words: 1 to {MOST:,}")
    address = int(text, 16) if form == "p" and _hexadecimal(text) else address_of(kernel, text)
    return Stretch(text, address, number, form)


def _hexadecimal(text: str) -> bool:
    digits = text.lower().removeprefix("0x")
    return 0 < len(digits) <= 16 and not set(digits) - set("0123456789abcdef")


def _place(kernel: Kernel, stretch: Stretch) -> Facts:
    if stretch.form == "p":
        return Facts("", "", (Fact("address", "Physical", "address", stretch.address),))
    from oopscope.inspect.describe import describe

    address = stretch.address
    where = fact_of("meaning", "Lies in", address, describe(kernel, address))
    return Facts("", "", (Fact("address", "Address", "address", address), where))


def _words(kernel: Kernel, stretch: Stretch) -> Rows | Text:
    if stretch.form == "a":
        text = kernel.memory.cstring(stretch.address, stretch.words)
        return Text("", "Text", tuple(decoded(text).splitlines()))
    return words_rows(kernel, stretch) if stretch.form in ("", "64") else _units(kernel, stretch)


def _units(kernel: Kernel, stretch: Stretch) -> Rows:
    """Return units of one size, sixteen bytes a row."""
    size = {"8": 1, "16": 2, "32": 4}.get(stretch.form, kernel.memory.word_size)
    read = kernel.memory.physical.read if stretch.form == "p" else kernel.memory.read
    order: Any = "little" if kernel.arch.word.format[0] == "<" else "big"
    end, rows = stretch.address + stretch.words * size, []
    for at in range(stretch.address, end, ROW):
        try:
            raw = read(at, min(ROW, end - at))
        except OopscopeError:
            rows.append(UnitRow(at, None, None))
            continue
        numbers = [int.from_bytes(raw[n : n + size], order) for n in range(0, len(raw), size)]
        units = " ".join(f"{number:20}" if stretch.form == "d" else f"{number:0{2 * size}x}" for number in numbers)
        rows.append(UnitRow(at, units, "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in raw)))
    columns = Column("address", "Address", "address"), Column("units", "Units"), Column("ascii", "Text")
    lost = sum(row.units is None for row in rows)
    return Rows("", "", columns, rows, why=f"{lost:,} of {len(rows):,} rows cannot be read" if lost else "")


def words_rows(kernel: Kernel, stretch: Stretch) -> Rows:
    """Return words as rows, each with what it may mean."""
    size, rows, links = kernel.memory.word_size, [], []
    for start in range(stretch.address, stretch.address + stretch.words * size, CHUNK * size):
        left = (stretch.address + stretch.words * size - start) // size
        for one in words(kernel, start)[:left]:
            told = one.meaning if one.meaning is not None and one.meaning.kind != "null" else None
            text = characters(one.value, size, kernel.arch.byteorder) if one.value is not None else None
            rows.append(WordRow(one.address, one.value, text, words_of(told), told.sure if told else None))
            links.append(link_of(one.value, told) if one.value is not None else None)
    columns = (
        Column("address", "Address", "address"), Column("value", "Word", "address"), Column("ascii", "Text"),
        Column("meaning", "Means"), Column("sure", "Sure", "bool"),
    )  # fmt: skip
    lost = sum(row.value is None for row in rows)
    return Rows("", "", columns, rows, links, why=f"{lost:,} of {len(rows):,} words cannot be read" if lost else "")


def characters(value: int, size: int, order: ByteOrder) -> str:
    """Return a word's bytes as they lie in memory as the characters that they are, dots for the others."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in value.to_bytes(size, order))


CARD = CardKind(
    "memory",
    "Memory",
    find,
    lambda stretch: stretch.text,
    (Part("place", "Place", _place), Part("words", "Words", _words)),
)
