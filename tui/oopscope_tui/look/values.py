"""Values of a table's columns as words for the screen, and as keys to sort by.

Core's formatter makes the words: what a value is on the screen it is in the report, in `show` and in what `w` writes.
"""

from typing import Any

from oopscope.report.cells import RIGHT as RIGHT
from oopscope.report.cells import cell
from oopscope.report.cells import duration as human_seconds
from oopscope.report.cells import size as human_bytes
from oopscope_tui.look.text import LONGEST

__all__ = ["RIGHT", "human_bytes", "human_seconds", "order", "show"]


def show(kind: str, value: Any) -> str:
    """Return the value in words, of what is too long for the screen the beginning."""
    text = cell(value, kind)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def order(value: Any) -> Any:
    """Return what a value sorts by among its likes: numbers by size, text without case."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return len(value)
    return str(value).lower()
