"""Where the log tells of trouble: the lines with which reports begin, for lists and for the screen."""

from collections.abc import Sequence
from typing import Any

from oopscope.klog.lines import LogRow
from oopscope.klog.parse import CR2, CUT, END
from oopscope.klog.wordings import Heading, heading_of

# Reports that are no trouble by themselves: somebody asked for them, or another report did.
ASKED = frozenset({"sysrq", "backtrace", "stack"})
SURVIVED = frozenset({"warning", "lockdep", "race"})  # the kernel goes on after them, unless it was told not to
CRASH = "Trigger a crash"
# Of a survey of rows:
TRACE = "Call Trace"
ERROR = 3
QUIET_NS = 500_000_000  # a report's lines are not further apart
LONGEST = 400  # lines of a report
PREFACE = 30  # lines from a report's first header to its stack, in which more headers are of the same report

__all__ = ["CUT", "END", "Troubles", "first_trouble", "is_report", "trouble_in"]


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


class Troubles:
    """The rows at which errors and oopses begin.

    A report is its header, registers, stacks, to the end mark or a pause. Outside of reports, the first of adjacent
    errors counts.
    """

    def __init__(self) -> None:
        self.starts: list[int] = []
        self._began: int | None = None  # the row where the open report begins
        self._traced = False  # it has shown a stack
        self._erred = False  # the row before was an error outside of a report
        self._ns = 0

    def take(self, rows: Sequence[LogRow], start: int, stop: int) -> None:
        """Look at the rows [start, stop)."""
        for at in range(start, stop):
            row = rows[at]
            text = row.text or ""
            if self._began is None and not is_report(text) and not text.startswith(TRACE):
                error = row.level is not None and row.level <= ERROR
                if error and not self._erred:
                    self.starts.append(at)
                self._erred = error
                self._ns = row.ns if row.ns is not None else self._ns
            else:
                self._look(at, row, text)

    def _look(self, at: int, row: LogRow, text: str) -> None:
        ns = row.ns if row.ns is not None else self._ns
        if self._began is not None and (ns - self._ns > QUIET_NS or at - self._began > LONGEST):
            self._began = None
        self._ns = ns
        header = is_report(text)
        trace = text.startswith(TRACE)
        if header or trace:
            same = self._began is not None and (trace or (not self._traced and at - self._began <= PREFACE))
            if not same:
                self._begin(at)
            self._traced = trace or (same and self._traced)
        elif self._began is None:
            error = row.level is not None and row.level <= ERROR
            if error and not self._erred:
                self.starts.append(at)
            self._erred = error
        elif text.startswith(END):
            self._began = None

    def _begin(self, at: int) -> None:
        if not self._erred:  # else the errors in front have counted already
            self.starts.append(at)
        self._began, self._erred = at, False
