"""Values of a table's columns as words for the screen, as keys to sort by and as plain data to write.

It knows the kinds of column (subsystems.Kind) and nothing of widgets. None is absent or unreadable: always a dash.
"""

from collections.abc import Callable
from typing import Any

from oopscope_tui.look.text import ABSENT, clean

RIGHT = frozenset({"int", "bytes", "seconds", "address"})  # kinds that stand to the right of their column
_UNITS = "KMGTPE"


def human_bytes(count: float) -> str:
    """Return a count of bytes in at most five cells: 512, 1.5K, 384M."""
    if count < 0:
        return "-" + human_bytes(-count)
    if count < 1000:
        return f"{int(count)}"
    for unit in _UNITS:
        count /= 1024
        if count < 9.95:
            return f"{count:.1f}{unit}"
        if count < 1000 or unit == _UNITS[-1]:
            return f"{count:.0f}{unit}"
    raise AssertionError


def human_seconds(seconds: float) -> str:
    """Return a duration in at most seven cells: 0.52s, 12s, 3m 05s, 2h 03m, 5d 04h."""
    if seconds < 0:
        return "-" + human_seconds(-seconds)
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


def _text(value: Any) -> str:
    return clean(value if isinstance(value, str) else str(value))


def _list(value: Any) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(clean(str(item)) for item in value)
    return _text(value)


def _registers(value: Any) -> str:
    return " ".join(f"{name}={number:#x}" for name, number in value.items())


def _frames(value: Any) -> str:
    return " ‹ ".join(clean(frame.symbol or f"{frame.address:#x}") for frame in value)  # noqa: RUF001


_SHOW: dict[str, Callable[[Any], str]] = {
    "text": _text,
    "int": lambda value: f"{value:d}",
    "bytes": human_bytes,
    "address": lambda value: f"{value:#x}" if isinstance(value, int) else _text(value),
    "seconds": human_seconds,
    "state": _text,
    "symbol": _text,
    "bool": lambda value: "yes" if value else "no",
    "list": _list,
    "frames": _frames,
    "registers": _registers,
}


def show(kind: str, value: Any) -> str:
    """Return the value in words, cleaned; a value that does not suit its kind is shown as it is, not raised."""
    if value is None or value == "":
        return ABSENT
    try:
        return _SHOW.get(kind, _text)(value)
    except (TypeError, ValueError, AttributeError, OverflowError):
        return _text(value)


def plain(kind: str, value: Any) -> Any:
    """Return the value as JSON data, in the report's manner: addresses as strings, frames as strings."""
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return f"{value:#x}" if kind == "address" else value
    if isinstance(value, dict):
        return {str(key): plain("address", item) for key, item in value.items()}
    if isinstance(value, str):
        return value
    if hasattr(value, "symbol") and hasattr(value, "address"):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain("text", item) for item in value]
    return str(value)


def order(value: Any) -> Any:
    """Return what a value sorts by among its likes: numbers by size, text without case."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return len(value)
    return str(value).lower()
