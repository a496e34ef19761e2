"""Log: the kernel's last words, by level and time, from the beginning of the oops on marked at the left.

Records with several lines are shown as several; a search is over the text alone, so that `^BUG` means its beginning.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, ClassVar

from oopscope_tui import keys, theme
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_line
from oopscope_tui.places import Place
from oopscope_tui.query import Field
from oopscope_tui.store import BEGINNINGS, LogLine
from oopscope_tui.text import clean, plural
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, Part, TextView, wrapped

TIMES = ("boot", "UTC", "crash")
TIME_WORDS = {"boot": "since boot", "UTC": "UTC", "crash": "before the end"}
LEVEL_STEPS = ((7, ""), (4, "warnings and worse"), (3, "errors and worse"))
BILLION = 1_000_000_000
SLICE = 0.001  # seconds between two slices of looking for trouble

# What begins a block, what only does where no block is open, and what ends one.
HEADER = re.compile("|".join([r"(?:[\w. -]+: )?(?:BUG:|WARNING:|INFO: task )", "Oops", *map(re.escape, BEGINNINGS)]))
TRACE = "Call Trace"
END = "---[ end "
ERROR = 3
QUIET_NS = BILLION // 2  # a block's lines are not further apart
LONGEST = 400  # lines of a block
PREFACE = 30  # lines from a block's first header to its stack, in which more headers are of the same block


class Troubles:
    """The rows at which errors and oopses begin: one for each block, however many bad lines it has.

    A block is what one report prints: its header, registers, stacks, to the end mark or a pause. Outside of blocks,
    the first of adjacent errors counts.
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        self.starts: list[int] = []
        self._seen = 0
        self._began: int | None = None  # the row where the open block begins
        self._traced = False  # it has shown a stack
        self._erred = False  # the row before was an error outside of a block
        self._ns = 0

    @property
    def behind(self) -> bool:
        """Whether there are rows that were not looked at."""
        return self._seen < len(self.rows)

    def work(self, budget: float = 0.008) -> bool:
        """Look on for about `budget` seconds; return whether more is left."""
        until = perf_counter() + budget
        while self.behind:
            for at in range(self._seen, min(self._seen + 256, len(self.rows))):
                self._look(at, self.rows[at])
                self._seen = at + 1
            if perf_counter() > until:
                break
        return self.behind

    def _look(self, at: int, row: Any) -> None:
        text = row.text or ""
        ns = row.ns if row.ns is not None else self._ns
        if self._began is not None and (ns - self._ns > QUIET_NS or at - self._began > LONGEST):
            self._began = None
        self._ns = ns
        header = HEADER.match(text) is not None
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


class LogView(TextView):
    """Records as lines."""

    BINDINGS = keys.bindings(keys.LOG)  # type: ignore[assignment]
    KEYS: ClassVar[tuple[keys.Key, ...]] = (*keys.LINES, *keys.LOG)

    def __init__(self, boot_time: Callable[[], float | None], **more: Any) -> None:
        super().__init__("Log", every=True, **more)
        self._boot_time = boot_time
        self.times = "boot"
        self.oops: int | None = None  # the row where it begins
        self.end_ns = 0
        self.level_step = 0
        self.troubles = Troubles(())
        self._looking = False
        self.say: Callable[[str], None] = lambda text: None

    def fields(self) -> Sequence[Field]:
        """Return what a filter may name."""
        return [
            Field("level", "Level", "int", lambda row: row.level),
            Field("caller", "Caller", "state", lambda row: row.caller),
            Field("facility", "Facility", "int", lambda row: row.facility),
            Field("time", "Time", "seconds", lambda row: row.ns / BILLION if row.ns is not None else None),
            Field("text", "Text", "text", lambda row: row.text),
        ]

    def words(self, row: Any) -> str:
        """Return the text alone."""
        return row.text or ""

    def written(self, row: Any) -> str:
        """Return the line with its time, as it is copied and written."""
        return f"{self._time(row).strip()} {self._letter(row)} {clean(row.text or '')}"

    def caption(self) -> str:
        """Return the title with levels and times."""
        words = [super().caption()]
        if self.level_step:
            words.append(LEVEL_STEPS[self.level_step][1])
        words.append(f"times {TIME_WORDS[self.times]}")
        return " · ".join(words)

    def parts(self, row: Any) -> Sequence[Part]:
        """Return gutter and time, level and text: three styles at most."""
        more = type(row) is LogLine and not row.first
        in_oops = self.oops is not None and row.index >= self.oops
        stamp = " " * (self.lead - 2) if more else self._time(row) + " "
        level = row.level if isinstance(row.level, int) and 0 <= row.level <= 7 else 6
        letter = " " if more or level == 6 else theme.LEVELS[level][0]
        text = clean((row.text or "").replace("\t", "    "))
        return (
            ("▌" if in_oops else " ", theme.BAD if in_oops else theme.PLAIN),
            (stamp, theme.DIM),
            (f"{letter} {text}", theme.LEVELS[level][2]),
        )

    @property
    def lead(self) -> int:
        """The cells before the level's letter and the gutter."""
        return {"boot": 16, "UTC": 18, "crash": 16}[self.times]

    def unsearched(self, row: Any) -> int:
        """Return how many characters in front of the text are not the text."""
        return sum(len(text) for text, _ in self.parts(row)[:-1]) + 2 - self.left

    def _letter(self, row: Any) -> str:
        return theme.LEVELS[row.level][0] if isinstance(row.level, int) and 0 <= row.level <= 7 else "?"

    def _time(self, row: Any) -> str:
        ns = row.ns
        if ns is None:
            return " " * (self.lead - 3)
        if self.times == "UTC" and (boot := self._boot_time()) is not None:
            when = datetime.fromtimestamp(boot + ns / BILLION, UTC)
            return f"{when:%H:%M:%S}.{when.microsecond:06d}"
        if self.times == "crash":
            return f"{(ns - self.end_ns) / BILLION:13.6f}"
        return f"{ns // BILLION:6d}.{ns % BILLION // 1000:06d}"

    # Keys.

    def action_times(self) -> None:
        """Show the next kind of time; the wall clock only where it is known."""
        at = TIMES.index(self.times) + 1
        if TIMES[at % 3] == "UTC" and self._boot_time() is None:
            at += 1
        self.times = TIMES[at % 3]
        self.refresh()

    def action_level(self, step: int) -> None:
        """Show the next set of levels."""
        self.level_step = (self.level_step + step) % len(LEVEL_STEPS)
        limit = LEVEL_STEPS[self.level_step][0]
        self.also = None if limit == 7 else lambda row: row.level is None or row.level <= limit
        self.set_filter(self.filter_text)

    def select(self, row_id: int) -> None:
        """Put the cursor on a record; where its level is hidden, all levels show again."""
        if self.also is not None and not self.also(self.view.rows[row_id]):
            self.action_level(-self.level_step)
        super().select(row_id)

    def action_oops(self) -> None:
        """Go to where the oops begins."""
        if self.oops is not None:
            at = next((at for at, row in enumerate(self.view.rows) if row.index == self.oops), None)
            if at is not None:
                self.select(at)

    def action_trouble(self, step: int) -> None:
        """Go to where the next or the previous error or oops begins."""
        if not len(self.view):
            return
        found = self.troubles
        while found.work(1.0):
            pass
        here, starts = self.view.row_id(self.cursor), found.starts
        if step > 0:
            ahead: Sequence[int] = range(bisect_right(starts, here), len(starts))
        else:
            ahead = range(bisect_left(starts, here) - 1, -1, -1)
        for number in ahead:
            position = self.view.position(starts[number])
            if position is not None:  # levels and filters hide some
                self._to(position, centre=not self.top <= position < self.top + self.page)
                self.say(f"error {number + 1:,} of {len(starts):,}")
                return
        self.say(f"no error {'after' if step > 0 else 'before'} this")

    def look(self) -> None:
        """Look for errors in the rows that came, a slice at a time, so that the key finds them known."""
        if self.troubles.rows is not self.view.rows:
            self.troubles = Troubles(self.view.rows)
        if not self._looking:
            self._look_on()

    def _look_on(self) -> None:
        self._looking = self.troubles.work() and self.is_attached
        if self._looking:
            self.set_timer(SLICE, self._look_on)


class Log(Pane):
    """The log, and the selected record in full under it."""

    BESIDE = False
    NARROW = "drawer"
    needs = ("log", "system")

    def make_main(self) -> Lines:
        """Return the log's view."""
        self._shown_oops = False
        view = LogView(lambda: self.store.time("boot_time"), id="main-log")
        view.say = self._say
        return view

    def _say(self, text: str) -> None:
        self.scope.said(text)

    @property
    def view(self) -> LogView:
        """The main view, by its own type."""
        assert isinstance(self.main, LogView)
        return self.main

    def refill(self) -> None:
        """Take in new records; once all are there, begin where the oops does."""
        feed = self.store.feed("log")
        view = self.view
        view.note = feed.note
        rows = feed.rows
        view.end_ns = next((row.ns for row in reversed(rows) if row.ns is not None), 0)
        oops = self.store.oops
        view.oops = rows[oops].index if oops is not None else None
        lines = self.store.log_lines
        if view.view.rows is not lines:
            view.set_rows(lines)
        else:
            view.grew()
        view.look()
        if feed.state == "done" and not self._shown_oops:
            self._shown_oops = True
            if self.wanted is None and view.cursor == 0:
                view.action_oops()

    def row_key(self, row: Any) -> int | str | None:
        """Return the record's index."""
        index: int = row.index
        return index

    def row_of(self, key: int | str) -> int | None:
        """Return the first line of a record; a link may carry the index as text."""
        index = int(key) if str(key).isdigit() else -1
        return next((at for at, row in enumerate(self.store.log_lines) if row.index == index), None)

    def notes(self) -> list[str]:
        """Return counts by level."""
        rows = self.store.feed("log").rows
        errors = self.count("errors", rows, lambda row: row.level is not None and row.level <= 3)
        return [plural(len(rows), "record") + (f", {plural(errors, 'error')}" if errors else "")] if rows else []

    def detail_title(self) -> str:
        """Return the record's number."""
        return f"record {self.main.row.index}" if self.main.row is not None else ""

    def detail(self, width: int) -> Sequence[Line]:
        """Return the record's text in full, then its fields."""
        row = self.main.row
        if row is None:
            return empty(self.main.note, width)
        style = theme.LEVELS[row.level][2] if isinstance(row.level, int) and 0 <= row.level <= 7 else theme.PLAIN
        record = next((one for one in self.store.feed("log").rows if one.index == row.index), row)
        lines: list[Line] = []
        for part in (record.text or "").split("\n"):
            lines += wrapped(part.replace("\t", "    "), width, style)
        lines.append(BLANK)
        level = theme.LEVELS[row.level][1] if isinstance(row.level, int) and 0 <= row.level <= 7 else "?"
        boot = self.store.time("boot_time")
        lines += field_line("Level", f"{row.level} {level}", width, 10)
        if row.ns is not None:
            lines += field_line("Boot time", f"{row.ns / BILLION:.6f} s", width, 10)
            if boot is not None:
                when = datetime.fromtimestamp(boot + row.ns / BILLION, UTC)
                lines += field_line("UTC", f"{when:%Y-%m-%d %H:%M:%S} (the log's clock may run apart)", width, 10)
        lines += field_line("Caller", row.caller or "not recorded", width, 10, _caller(row.caller))
        return lines


def _caller(caller: str | None) -> Place | None:
    if not caller or not caller[1:].isdigit():
        return None
    return Place("cpus" if caller[0] == "C" else "tasks", int(caller[1:]), True)


PANE = Log
