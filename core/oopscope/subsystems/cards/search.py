"""The card of a search through all memory that the dump holds: where a value, or a text, stands.

Keys: a number or a symbol's name, looked for in words; `"text` for bytes anywhere. It ends after so many bytes or
finds, and says so.
"""

from collections.abc import Iterator
from typing import NamedTuple

from oopscope.inspect.describe import describe
from oopscope.inspect.look_up import address_of
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Part, Rows
from oopscope.subsystems.cards.meaning import words_of

FINDS = 1000
BYTES = 1 << 30  # that are gone through


class Place(NamedTuple):
    """Where it stands: in the map of all memory where that is known, and in physical memory."""

    address: int | None
    physical: int
    meaning: str | None


class _Thing:
    """What is looked for, and where it was found; looked for once."""

    def __init__(self, kernel: Kernel, text: str, pattern: bytes, step: int) -> None:
        self.text, self.looked, self.why = text, 0, ""
        base = kernel.machine.direct_base(kernel)
        self.places = [_place(kernel, base, at) for at in self._all(kernel, pattern, step)]

    def _all(self, kernel: Kernel, pattern: bytes, step: int) -> Iterator[int]:
        found = 0
        for start, block in kernel.dump.blocks():
            if self.looked >= BYTES:
                self.why = f"ended after {BYTES >> 20:,} MiB: the dump holds more"
                return
            self.looked += len(block)
            at = block.find(pattern)
            while at >= 0:
                if at % step == 0:
                    found += 1
                    if found > FINDS:
                        self.why = f"ended after {FINDS:,} places: there are more"
                        return
                    yield start + at
                at = block.find(pattern, at + 1)


def _place(kernel: Kernel, base: int | None, physical: int) -> Place:
    if base is None:
        return Place(None, physical, None)
    address = (base + physical) % kernel.memory.top
    return Place(address, physical, words_of(describe(kernel, address)))


def find(kernel: Kernel, key: int | str) -> _Thing:
    """Look for a number in words, or for a text anywhere."""
    size = kernel.memory.word_size
    if isinstance(key, str) and key.startswith('"') and len(key) > 1:
        return _Thing(kernel, key.strip('"'), key[1:].removesuffix('"').encode("utf-8", "replace"), 1)
    value = key if isinstance(key, int) else address_of(kernel, key)
    order = "little" if kernel.arch.word.format[0] == "<" else "big"
    return _Thing(kernel, f"{key:#x}" if isinstance(key, int) else key, value.to_bytes(size, order), size)  # type: ignore[arg-type]


def _summary(kernel: Kernel, thing: _Thing) -> Facts:
    facts = Fact("found", "Found", "int", len(thing.places)), Fact("searched_bytes", "Searched", "bytes", thing.looked)
    return Facts("", "", facts, thing.why)


def _places(kernel: Kernel, thing: _Thing) -> Rows:
    columns = (
        Column("address", "Address", "address"),
        Column("physical", "Physical", "address"),
        Column("meaning", "In"),
    )
    links = [Link("memory", f"{one.address:#x}") if one.address is not None else None for one in thing.places]
    return Rows("", "", columns, thing.places, links)


CARD = CardKind(
    "search",
    "Search",
    find,
    lambda thing: thing.text,
    (Part("search", "Search", _summary), Part("places", "Places", _places)),
)
