"""The card of memory: the words from an address on, each with what it may mean; `ADDRESS[/COUNT]`."""

from typing import NamedTuple

from oopscope.errors import Implausible
from oopscope.inspect.look_up import address_of
from oopscope.inspect.words import CHUNK, words
from oopscope.kernel.fact import Fact
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Part, Rows
from oopscope.subsystems.cards.meaning import fact_of, link_of, words_of

COUNT = 16  # words that are shown where nobody says how many
MOST = 1 << 16


class Stretch(NamedTuple):
    """What was asked for."""

    text: str
    address: int
    words: int


class WordRow(NamedTuple):
    """A word; value None where it cannot be read."""

    address: int
    value: int | None
    ascii: str | None
    meaning: str | None
    sure: bool | None


def find(kernel: Kernel, key: int | str) -> Stretch:
    """Return an address, and how many words from there on."""
    text, _, count = (f"{key:#x}" if isinstance(key, int) else key).partition("/")
    try:
        number = int(count, 0) if count else COUNT
    except ValueError:
        number = 0
    if not 0 < number <= MOST:
        raise Implausible(f"{count[:20]} is no count of words: 1 to {MOST:,}")
    return Stretch(text, address_of(kernel, text), number)


def _place(kernel: Kernel, stretch: Stretch) -> Facts:
    from oopscope.inspect.describe import describe

    address = stretch.address
    where = fact_of("meaning", "Lies in", address, describe(kernel, address))
    return Facts("", "", (Fact("address", "Address", "address", address), where))


def _words(kernel: Kernel, stretch: Stretch) -> Rows:
    size, rows, links = kernel.memory.word_size, [], []
    for start in range(stretch.address, stretch.address + stretch.words * size, CHUNK * size):
        left = (stretch.address + stretch.words * size - start) // size
        for one in words(kernel, start)[:left]:
            told = one.meaning if one.meaning is not None and one.meaning.kind != "null" else None
            text = characters(one.value, size) if one.value is not None else None
            rows.append(WordRow(one.address, one.value, text, words_of(told), told.sure if told else None))
            links.append(link_of(one.value, told) if one.value is not None else None)
    columns = (
        Column("address", "Address", "address"), Column("value", "Word", "address"), Column("ascii", "Text"),
        Column("meaning", "Means"), Column("sure", "Sure", "bool"),
    )  # fmt: skip
    lost = sum(row.value is None for row in rows)
    return Rows("", "", columns, rows, links, why=f"{lost:,} of {len(rows):,} words cannot be read" if lost else "")


def characters(value: int, size: int) -> str:
    """Return a word's bytes as the characters that they are, dots for the others."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in value.to_bytes(size, "little"))


CARD = CardKind(
    "memory",
    "Memory",
    find,
    lambda stretch: stretch.text,
    (Part("place", "Place", _place), Part("words", "Words", _words)),
)
