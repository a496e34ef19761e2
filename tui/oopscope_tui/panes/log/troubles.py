"""Where in a log errors and oopses begin: one row for each report, however many bad lines it has."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oopscope.klog.trouble import END, is_report

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import LogRow

# What begins a report is klog's to say; what only does where no report is open, and what ends one.
TRACE = "Call Trace"
ERROR = 3
QUIET_NS = 500_000_000  # a report's lines are not further apart
LONGEST = 400  # lines of a report
PREFACE = 30  # lines from a report's first header to its stack, in which more headers are of the same report


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

    def take(self, rows: Sequence["LogRow"], start: int, stop: int) -> None:
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

    def _look(self, at: int, row: "LogRow", text: str) -> None:
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
