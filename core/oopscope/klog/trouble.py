"""Where the log tells of trouble: the lines with which reports begin, for lists and for the screen."""

from collections.abc import Sequence
from typing import Any

from oopscope.klog.parse import CR2, CUT, END
from oopscope.klog.wordings import Heading, heading_of

# Reports that are no trouble by themselves: somebody asked for them, or another report did.
ASKED = frozenset({"sysrq", "backtrace", "stack"})
SURVIVED = frozenset({"warning", "lockdep", "race"})  # the kernel goes on after them, unless it was told not to
CRASH = "Trigger a crash"

__all__ = ["CUT", "END", "first_trouble", "is_report", "trouble_in"]


def _begins(text: str) -> Heading | None:
    """Return what begins with a line; the line that an oops ends with begins one only for whom the rest is lost."""
    return None if text.startswith(CR2) else heading_of(text)


def is_report(text: str) -> bool:
    """Return whether a report of trouble begins with a line of the log: an oops, a warning, a lockup ..."""
    found = _begins(text)
    return found is not None and (found.kind not in ASKED or CRASH in text)


def trouble_in(text: str) -> bool:
    """Return whether a line of the log begins as the end of a kernel does, or tells of a blocked task."""
    found = _begins(text)
    return found is not None and ((found.kind not in ASKED and found.kind not in SURVIVED) or CRASH in text)


def first_trouble(rows: Sequence[Any], start: int = 0) -> int | None:
    """Return the first row whose text begins as the end of a kernel does, or tells of a blocked task."""
    return next((at for at in range(start, len(rows)) if trouble_in(rows[at].text or "")), None)
