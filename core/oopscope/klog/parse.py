"""Put the lines of a log together into reports, in one pass: where each begins, what is its own.

A report begins with a heading (klog.wordings) or `cut here` and is bounded by its own marks: `end trace`, a heading of
another report, a second stack that it cannot have, a new boot; never by a count of lines. Lines of several CPUs may
interleave: where each record's caller is known a report holds one caller's, else what is no line of a report is left
out. Only records of the kernel are looked at: what programs wrote to /dev/kmsg is no evidence.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple, Protocol

from oopscope.klog.detail import OLD_WHO, OTHERS, TRACE, WHO
from oopscope.klog.machines import ASIDE, HEADLESS, either
from oopscope.klog.report import Report
from oopscope.klog.trace import is_frame
from oopscope.klog.wordings import DIE, KEY, WORDS, Heading, Kind, heading_of
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.wordings import First

CUT = "------------[ cut here ]"
END = "---[ end "
CR2 = "CR2: "
# Where an oops stood, at the beginning of what is left of one.
_LEFT = (First("Pid: ", r"\d+, comm: "), *HEADLESS)
LEFT = lazy_re(either(re.escape(first.words) + first.rest for first in _LEFT))
BOOT = "Linux version "
QUIET_NS = 30_000_000_000  # the lines of one report are not further apart
KERN = 0  # the facility of the kernel's own records

# How lines begin with which something may begin where no report is open.
TELLING = frozenset(
    (
        *WORDS,
        *(word[:KEY] for word in (CUT, BOOT, "CPU: ", "Call ", "Back", "Stac", "Trac", "stac")),
        *(word[:KEY] for word in ("Out ", "Memo", *(first.words for first in _LEFT))),
    )
)
BLANK = frozenset(" \t")
# What a report's lines are besides its frames and its heading, on every machine.
_ALIKE = (
    r"CPU: |CPU \d|Pid: |Process |Hardware name: |Workqueue: |Modules linked in:|Tainted: |Code: |Stack:|task: ",
    r"task_li: |KASAN: |SMP |PREEMPT|last sysfs|Internal |INFO: lockdep|Call |Backtrace|stack backtrace|note: ",
    r"Exception|The buggy|which belongs|Memory state|Allocated|Freed|page:|flags: |raw: |page dumped|Read of",
    r"Write of|Use-after-free|Out-of-bounds|Invalid |Corrupted|Memory corruption|kfence-#|allocated by|freed by|==+$",
    r"\s*\^|---+|irq event|hardirqs|softirqs|Disabling lock|Dumping ftrace|Kernel Offset|rcu: |\t|\d+-[.!oO?N]",
    r"\(detected|Tasks blocked|blocking rcu|Not tainted|\"echo 0|index \d|load of|shift exponent|signed integer",
    r"unsigned integer|division by zero|member access|Object |Slab |INFO: |Redzone|Padding|Bytes|FIX |preempt_count",
    r"in_atomic|no locks held|\d+ locks? held| #\d+: |Preemption disabled|\.\.\. |Node|lowmem|Mem-Info|active_anon",
    r"\d+ pages|\d+ total|Swap|Free swap|Total swap|\[ *(?:\d+|pid) *\]|Tasks state|oom-kill:|[\w:.-]+ +\d+kB",
    r"memory: usage|swap: usage|kmem: usage|Memory cgroup|Hardware event|sending|Unreclaimable|mems_allowed",
    r".{1,20} cpuset=",
)
_ASIDE = lazy_re(rf"[\t ]{{0,64}}{either((*_ALIKE, *ASIDE))}")
# Headings that one report may have after another, by its kind.
_JOINS: dict[Kind, frozenset[Kind]] = {
    "oops": frozenset({"oops"}),
    "complaint": frozenset({"complaint", "warning", "oops"}),
    "warning": frozenset({"complaint"}),
    "serror": frozenset({"serror", "oops"}),
    "hardware": frozenset({"hardware"}),
    "filesystem": frozenset({"filesystem"}),
    "assertion": frozenset({"assertion"}),
    "oom": frozenset({"oom"}),
    "hard-lockup": frozenset({"hard-lockup"}),
    "rcu-stall": frozenset({"rcu-stall"}),
}
_TRACED_JOINS: dict[Kind, frozenset[Kind]] = {
    "oom": frozenset({"oom"}),
    "rcu-stall": frozenset({"rcu-stall"}),
    "filesystem": frozenset({"filesystem"}),
}


class Recorded(Protocol):
    """A record of the log, as linux.printk has it."""

    index: int
    ns: int | None
    facility: int | None
    caller: str | None
    text: str


class Line(NamedTuple):
    """One line of the log: the place of its record, and its text."""

    record: int
    text: str


class Lines(Sequence[Line]):
    """The log's lines, made when they are looked at; a record may hold several."""

    def __init__(self, records: Sequence[Any]) -> None:
        self.texts: list[str] = []
        self.at = array("I")  # the place in `records` of each line's record
        self._records = records
        for place, record in enumerate(records):
            text = record.text
            if "\n" in text:
                parts = text.rstrip("\n").split("\n")
                self.texts += parts
                self.at.extend([place] * len(parts))
            else:
                self.texts.append(text)
                self.at.append(place)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return Line(self._records[self.at[at]].index, self.texts[at])

    def record(self, at: int) -> Any:
        """Return the record of a line."""
        return self._records[self.at[at]]

    @cached_property
    def _joined(self) -> "tuple[str, array[int]]":
        """All lines in one text, and where each begins in it: a word is looked for in all of them at once."""
        starts = accumulate((len(text) + 1 for text in self.texts), initial=0)
        return "\n".join(self.texts), array("Q", starts)

    def holding(self, words: Sequence[str], first: int = 0) -> list[int]:
        """Return the places of the lines, from one on, in which one of some words stands."""
        text, starts = self._joined
        found: set[int] = set()
        for word in words:
            at = text.find(word, starts[first])
            while at >= 0:
                row = bisect_right(starts, at) - 1
                found.add(row)
                at = text.find(word, starts[row + 1])
        return sorted(found)


def when(record: Any, stamped: bool) -> int | None:
    """Return when a record was written: by the kernel's clock, else by the log's own; only differences matter."""
    ns: int | None = record.ns if stamped else record.wall
    return ns


class Log:
    """A log, parsed: its lines, its reports in the order in which they begin, and the lines at which it boots."""

    def __init__(self, records: Sequence[Any]) -> None:
        self.lines = Lines(records)
        self.reports: list[Report] = []
        self.boots: list[int] = []
        # A line that bears no time of the kernel's clock, in a log that has them, is not timed by another clock.
        self.stamped = any(record.ns is not None for record in records)
        self.foreign: set[int] = set()  # lines that a program wrote, and not the kernel
        _Parser(self).run()

    def ns(self, row: int) -> int | None:
        """Return when a line was written, on the kernel's clock."""
        return when(self.lines.record(row), self.stamped)


class _Open:
    """A report that may go on."""

    __slots__ = ("cut", "ns", "report", "traced", "who")

    def __init__(self, report: Report, cut: bool) -> None:
        self.report, self.cut = report, cut
        self.traced = self.who = False
        self.ns: int | None = report.ns


class _Parser:
    """The pass. What is open is kept for each caller; None is the log's only one, where callers are not recorded."""

    def __init__(self, log: Log) -> None:
        self._log, self._texts = log, log.lines.texts
        self._open: dict[str | None, _Open] = {}
        self._taken = -2  # the row that was taken into a report last

    def run(self) -> None:
        """Look at each line once."""
        lines, opened = self._log.lines, self._open
        at, place, record, caller = lines.at, -1, None, None
        stamped = self._log.stamped
        oom = set(lines.holding(("invoked oom-killer",)))
        for row, text in enumerate(self._texts):
            first = at[row] != place  # words count at a record's beginning: what follows may quote somebody
            if first:
                place, record = at[row], lines.record(row)
                caller = record.caller
            if record is None or record.facility:
                self._log.foreign.add(row)
            elif not first and self._taken == row - 1:  # a further line of a record is whose the first is
                self._go_on_with(row, caller)
            elif opened or text[:KEY] in TELLING or text[:1] in BLANK or row in oom:
                self._see(row, text, first, when(record, stamped), caller)

    def _see(self, row: int, text: str, first: bool, ns: int | None, caller: str | None) -> None:
        """Look at a line that may be of a report."""
        found = None
        if first and text[:1] not in BLANK:
            found = heading_of(text)
        elif first and text[1 : KEY + 1] in WORDS:  # a console that puts a blank before every line
            text = text[1:]
            found = heading_of(text)
        if found is not None:
            self._head(found, row, text, ns, caller)
        else:
            self._look(row, text, ns, caller)

    def _look(self, row: int, text: str, ns: int | None, caller: str | None) -> None:
        """Look at a line that is no heading."""
        held = self._open.get(caller)
        if text.startswith(CUT):
            self._cut(row, ns, caller)
        elif text.startswith(BOOT):
            self._log.boots.append(row)
            self._open.clear()
        elif held is not None:
            self._go_on(held, row, text, ns, caller)
        elif TRACE.match(text) or WHO.match(text) or LEFT.match(text):
            self._begin("stack", row, ns, caller)

    def _begin(self, kind: Kind, row: int, ns: int | None, caller: str | None, cut: bool = False) -> _Open:
        log = self._log
        report = Report(len(log.reports), kind, self._texts, row)
        report.ns = report.end_ns = ns
        report.caller, report.boot = caller, len(log.boots)
        log.reports.append(report)
        self._taken = row
        held = self._open[caller] = _Open(report, cut)
        held.traced = TRACE.match(self._texts[row]) is not None
        held.who = WHO.match(self._texts[row]) is not None
        return held

    def _cut(self, row: int, ns: int | None, caller: str | None) -> None:
        held = self._open.get(caller)
        if (
            held is not None
            and not held.traced
            and not held.who
            and (held.report.kind in ("complaint", "oops") or held.cut)
        ):
            self._take(held, row, ns)
            held.cut = True
            return
        self._begin("warning", row, ns, caller, cut=True)

    def _head(self, found: Heading, row: int, text: str, ns: int | None, caller: str | None) -> None:
        held = self._open.get(caller)
        amid = held is not None and held.report.kind not in ("filesystem", "hardware") and not self._is_late(held, ns)
        if found.kind == "filesystem" and amid:  # another task's line in the midst of a report
            return
        if held is not None and text.startswith(CR2) and not self._is_late(held, ns):
            self._take(held, row, ns)
            if held.report.kind == "stack":  # an oops whose beginning is lost
                held.report.kind = found.kind
            return
        if held is not None and self._joins(held, found.kind, text, ns):
            self._take(held, row, ns)
            report = held.report
            if not report.headings or report.kind == "complaint":
                report.kind = found.kind
            report.headings.append(row)
            return
        held = self._begin(found.kind, row, ns, caller)
        held.report.headings.append(row)
        if found.kind == "sysrq":  # one line
            del self._open[caller]

    def _joins(self, held: _Open, kind: Kind, text: str, ns: int | None) -> bool:
        """Tell whether a heading is a further one of the open report."""
        if self._is_late(held, ns):
            return False
        report = held.report
        if not held.who and report.headings and text == self._texts[report.headings[0]]:
            return True  # another CPU's, of the same words
        if kind == report.kind == "oops" and report.die is None and report.headings and not held.traced:
            return True  # its own line of die(), behind the CPU's where lines were exchanged on their way
        if held.traced or held.who:
            return kind in _TRACED_JOINS.get(report.kind, ())
        if not report.headings:
            return held.cut and kind != "panic"
        if report.kind == "oops" and kind == "oops":
            return report.die is None or text.startswith("KASAN: ")
        return kind in _JOINS.get(report.kind, ())

    def _is_late(self, held: _Open, ns: int | None) -> bool:
        return ns is not None and held.ns is not None and not -1_000_000_000 <= ns - held.ns <= QUIET_NS

    def _go_on(self, held: _Open, row: int, text: str, ns: int | None, caller: str | None) -> None:
        """Take a line that is no heading into the open report, or see that it is none of it."""
        report = held.report
        if text.startswith(END):
            self._take(held, row, ns)
            report.ended = True
            if not self._texts[report.row].startswith(CR2):  # newer kernels say the place again behind their end mark
                del self._open[caller]
            return
        if self._is_late(held, ns):
            del self._open[caller]
            return
        trace = TRACE.match(text) is not None
        who = WHO.match(text) is not None or OLD_WHO.match(text) is not None
        lockdep = report.kind == "lockdep" and self._texts[report.rows[-1]].startswith("stack backtrace")
        begun = held.traced and (held.who or not TRACE.match(self._texts[report.rows[-1]]))  # else two lines' exchange
        if (trace and held.traced and not self._may_have_more(report)) or (who and begun and not lockdep):
            self._begin("stack", row, ns, caller)
            return
        frame = not trace and is_frame(text)
        if not (trace or who or frame or self._is_aside(held, text)):
            return  # of somebody else, or free words
        self._take(held, row, ns)
        held.traced = held.traced or trace
        held.who = held.who or who

    def _is_aside(self, held: _Open, text: str) -> bool:
        if _ASIDE.match(text) is not None or text.startswith(OTHERS):
            return True
        # The free words of a report stand right behind its heading, and before its registers and stacks.
        return not held.traced and not held.who and held.report.kind not in ("hardware", "sysrq", "hung-task", "stack")

    def _may_have_more(self, report: Report) -> bool:
        """Tell whether this kind of report prints several stacks, or an old kernel's trace before a title."""
        last = self._texts[report.rows[-1]]
        return report.kind in ("memory-error", "race", "lockdep", "slab") or last.startswith(OTHERS)

    def _go_on_with(self, row: int, caller: str | None) -> None:
        held = self._open.get(caller)
        report = held.report if held is not None else self._log.reports[-1]
        report.rows.append(row)
        self._taken = row

    def _take(self, held: _Open, row: int, ns: int | None) -> None:
        held.report.rows.append(row)
        self._taken = row
        if ns is not None:
            held.ns = held.report.end_ns = ns


def parse(records: Sequence[Any]) -> Log:
    """Parse a log's records (each with index, ns, level, facility, caller and text), in their order."""
    return Log(records)


__all__ = ["DIE", "Line", "Lines", "Log", "parse"]
