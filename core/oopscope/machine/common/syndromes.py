"""What a processor says of an exception, as numbers: where an oops prints one, and the numbers' words."""

from collections.abc import Callable
from typing import NamedTuple


class Syndrome(NamedTuple):
    """A number that an oops prints of its exception: group `value` of a pattern, hexadecimal; and its words."""

    name: str  # as it is called where it is explained: ESR
    pattern: str
    words: Callable[[int], str]  # "" for a number that tells nothing


def bits(value: int, names: dict[int, str]) -> str:
    """Say the bits that are set, by their masks."""
    return ", ".join(words for mask, words in names.items() if value & mask)
