"""The kinds of value that a row holds: how it is shown, written and sorted, whoever does it."""

from typing import Literal

# How a value is shown and written: `address` is a hexadecimal string in JSON, `bytes` a count of bytes that a
# person sees with a unit, `seconds` a duration, `list` a list of strings, `frames` a list of Frame.
Kind = Literal["text", "int", "bytes", "address", "seconds", "state", "symbol", "bool", "list", "frames", "registers"]

ABSENT = "–"  # noqa: RUF001  (an en dash: a value that is not there)
