"""Values as people read them: the one formatter of cells, whoever shows them, and the one cleaner of a dump's text.

It knows the kinds of column (kernel.kinds) and no table, no file format and no screen. None is absent or unreadable:
always a dash. Everything in a dump is hostile: what would move the cursor, hide, reverse or overprint becomes a visible
stand-in, the control pictures U+2400..U+2421 for the C0 set, \\u202e and the like for the rest.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from unicodedata import category, east_asian_width

from oopscope.kernel.clock import moment
from oopscope.kernel.kinds import ABSENT, ToldFloat, ToldInt

RIGHT = frozenset({"int", "bytes", "seconds", "address"})  # kinds that stand to the right of their column
ODD = frozenset({"bool", "frames"})  # kinds of which a text is no text as it is
UNITS = "KMGTPE"
LONG = 256  # characters of a text that is not cleaned twice
MARKS = 3  # combining marks kept on one base character; more is a way to draw over the neighbours
_JAMO = ((0x1160, 0x11FF), (0xD7B0, 0xD7FF))  # the second and third letters of a Hangul syllable: no cell of their own


def printable(text: str, keep: str = "") -> str:
    """Return text with every character that is not plainly visible replaced by a stand-in, but for those kept."""
    if text.isascii() and text.isprintable():
        return text
    return _cleaned(text, keep) if len(text) > LONG else _cleaned.__wrapped__(text, keep)


@lru_cache(64)  # a long text is shown again and again while one moves about
def _cleaned(text: str, keep: str) -> str:
    others = {char: _stand_in(char) for char in set(text).difference(keep)}  # a long text has few characters
    marks = "".join(char for char, shown in others.items() if shown is None)
    table = {ord(char): shown for char, shown in others.items() if shown is not None and shown != char}
    if marks:
        text = re.sub(f"([{re.escape(marks)}]{{{MARKS}}})[{re.escape(marks)}]+", r"\1", text)
        text = "·" + text[1:] if text[0] in marks else text  # there is nothing that it could go onto
    return text.translate(table) if table else text


@lru_cache(4096)
def _stand_in(char: str) -> str | None:
    """Return a character or its stand-in; None for a mark, which goes onto what stands before it."""
    code = ord(char)
    if code < 0x7F:
        return char if code >= 0x20 else chr(0x2400 + code)
    kind = category(char)
    if kind == "Zs":
        return " "
    if kind[0] in "CZ" or _joins(code):
        return _named(code)
    return None if _takes_no_cell(code, kind) else char


def _takes_no_cell(code: int, kind: str) -> bool:
    return kind[0] == "M" or any(first <= code <= last for first, last in _JAMO)


def _joins(code: int) -> bool:
    """Tell what terminals merge with its neighbours, each in its own way: selectors, skin tones, flags, keycaps."""
    return 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF or 0x1F1E6 <= code <= 0x1F1FF or code == 0x20E3


def _named(code: int) -> str:
    if code == 0x7F:
        return "␡"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def width(text: str) -> int:
    """Return how many cells of a terminal a printable text takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if _takes_no_cell(ord(char), category(char)):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def size(count: float) -> str:
    """Return a count of bytes in at most five cells: 512, 1.5K, 384M."""
    if count < 0:
        return "-" + size(-count)
    if count < 1000:
        return f"{int(count)}"
    for unit in UNITS:
        count /= 1024
        if count < 9.95:
            return f"{count:.1f}{unit}"
        if count < 1000 or unit == UNITS[-1]:
            break
    return f"{count:.0f}{unit}"


def duration(seconds: float) -> str:
    """Return a duration in at most seven cells: 0.52s, 12s, 3m 05s, 2h 03m, 5d 04h."""
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 10:
        return f"{seconds:.2f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole // 60 % 60:02}m"
    return f"{whole // 86400}d {whole // 3600 % 24:02}h"


def cell(value: object, kind: str = "text") -> str:
    """Return the value in words, printable; a value that does not suit its kind is shown as it is, not raised."""
    if value is None or value == "":
        return ABSENT
    if value.__class__ is str and kind not in ODD:  # as most are
        return printable(value)
    if value.__class__ is int and kind in ("int", "text"):
        return str(value)
    try:
        return _shown(value, kind)
    except (TypeError, ValueError, AttributeError, OverflowError):
        return printable(str(value))


def _shown(value: Any, kind: str) -> str:
    """One value; a frame of the report's data is a mapping, and an address there is text already."""
    if isinstance(value, ToldInt | ToldFloat):
        kind = value.kind
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "bytes" and number:
        return size(value)
    if kind == "seconds" and number:
        return duration(value)
    if kind == "address" and number:
        return f"{value:#x}"
    if kind == "epoch" and number and (when := moment(value)) is not None:
        return f"{when:%Y-%m-%dT%H:%M:%S.%fZ}"
    if kind == "bool" or isinstance(value, bool):
        return "yes" if value else "no"
    if kind == "frames":
        return " ‹ ".join(printable(_frame(frame)) for frame in value)  # noqa: RUF001
    if isinstance(value, Mapping):
        return " ".join(f"{name}={held if isinstance(held, str) else hex(held)}" for name, held in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(printable(str(item)) for item in value)
    return printable(str(value))


def _frame(frame: Any) -> str:
    symbol, address = (
        (frame["symbol"], frame["address"]) if isinstance(frame, Mapping) else (frame.symbol, frame.address)
    )
    return str(symbol or (address if isinstance(address, str) else f"{address:#x}"))


def counted_otherwise(cpus: int | None) -> str | None:
    """Return in words how many CPUs there are where the kernel's masks do not tell: by notes, or by the log."""
    return f"{cpus}, not by the kernel's own count" if cpus is not None else None
