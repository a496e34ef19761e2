"""Cells and tables as plain text, by a column's kind. Control characters of a dump become visible stand-ins."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from oopscope.subsystems import Column

ABSENT = "-"
RIGHT = {"int", "bytes", "seconds"}
UNITS = ("B", "K", "M", "G", "T", "P")
# C0 and C1 controls, DEL, the characters that turn the direction of text or take no place, and lone surrogates.
_CONTROLS = {i: 0x2400 + i for i in range(32)} | {0x7F: 0x2421}
_UNSEEN = (
    *range(0x80, 0xA0),
    0xAD,
    0x61C,
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0xFEFF,
)
_CONTROLS |= dict.fromkeys((*_UNSEEN, *range(0xD800, 0xE000), *range(0xE0000, 0xE0080)), 0xFFFD)


def printable(text: str, keep: str = "") -> str:
    """Return text with its control characters made visible, but for those kept."""
    if text.isascii() and text.isprintable():
        return text
    table = {k: v for k, v in _CONTROLS.items() if chr(k) not in keep} if keep else _CONTROLS
    return text.translate(table)


def size(number: int) -> str:
    """Return a count of bytes with a unit: 4 digits at most before it."""
    value = float(number)
    for unit in UNITS:
        if abs(value) < 1000 or unit == UNITS[-1]:
            break
        value /= 1024
    return f"{number} B" if unit == "B" else f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def duration(seconds: float) -> str:
    """Return a duration as a person says it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def cell(value: object, kind: str = "text") -> str:
    """Return one value as text."""
    if value is None:
        return ABSENT
    if kind == "address" and isinstance(value, int):
        return f"{value:016x}"
    if kind == "bytes" and isinstance(value, int):
        return size(value)
    if kind == "seconds" and isinstance(value, int | float):
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return " ".join(f"{k}={v:#x}" for k, v in value.items())
    if isinstance(value, tuple | list):
        return printable(" < ".join(map(str, value)) if kind == "frames" else ", ".join(map(str, value)))
    return printable(str(value))


def grid(columns: Sequence[Column], rows: Iterable[Any]) -> str:
    """Return a table as lines: a heading, then the rows, columns aligned; the last column is not padded."""
    lines = [[c.title for c in columns]]
    lines += [[cell(getattr(r, c.key), c.kind) for c in columns] for r in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "".join(_line(line, widths, columns) for line in lines)


def _line(line: list[str], widths: list[int], columns: Sequence[Column]) -> str:
    parts = [
        text.rjust(width) if column.kind in RIGHT else text.ljust(width)
        for text, width, column in zip(line, widths, columns, strict=True)
    ]
    return "  ".join(parts).rstrip() + "\n"
