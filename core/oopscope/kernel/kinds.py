"""The kinds of value that a row holds: how it is shown, written and sorted, whoever does it."""

from typing import Literal

# How a value is shown and written: `address` is a hexadecimal string in JSON, `bytes` a count of bytes that a
# person sees with a unit, `seconds` a duration, `list` a list of strings, `frames` a list of Frame.
Kind = Literal["text", "int", "bytes", "address", "seconds", "state", "symbol", "bool", "list", "frames", "registers"]

ABSENT = "–"  # noqa: RUF001  (an en dash: a value that is not there)

Shown = Kind | Literal["epoch"]  # nanoseconds since 1970


class ToldInt(int):
    """A number among facts of many kinds: as data it is the number, in a text it is shown as its own kind."""

    kind: Shown

    def __new__(cls, value: int, kind: Shown) -> "ToldInt":
        """Return the number with its kind."""
        made = super().__new__(cls, value)
        made.kind = kind
        return made


class ToldFloat(float):
    """The same of a number with a fraction."""

    kind: Shown

    def __new__(cls, value: float, kind: Shown) -> "ToldFloat":
        """Return the number with its kind."""
        made = super().__new__(cls, value)
        made.kind = kind
        return made


def told(value: object, kind: Shown) -> object:
    """Return a number that knows how it is shown; anything else as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return ToldInt(value, kind)
    return ToldFloat(value, kind) if isinstance(value, float) else value
