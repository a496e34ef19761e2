"""The log as lines: time, level and text, by levels, by caller, with blocks folded and a line of density above.

Searches and jumps look into what is folded, and unfold it; a filter's words show what they find, folded or not.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events

from oopscope.klog.lines import LogLine
from oopscope.klog.tones import tone
from oopscope.klog.trouble import Troubles
from oopscope.report.query import Field, QueryError, Test
from oopscope_tui.look import theme
from oopscope_tui.look.text import clean
from oopscope_tui.panes.log.density import HEIGHTS, Density
from oopscope_tui.panes.log.folds import Folding
from oopscope_tui.panes.log.rows import Head, LogRows
from oopscope_tui.panes.log.survey import Survey
from oopscope_tui.panes.log.times import Times
from oopscope_tui.settings import keys
from oopscope_tui.widgets.textview import Part

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import LogRow

LEVEL_STEPS = ((7, ""), (4, "warnings and worse"), (3, "errors and worse"))
BILLION = 1_000_000_000
SLICE = 0.001  # seconds between two slices of the survey
AT_ONCE = 0.03  # seconds of it before the first rows show
TALL = 10  # lines from which on one is for the density
FRAME = re.compile(r" *(?P<name>[A-Za-z_][\w.$]*)\+0x[0-9a-f]+/0x[0-9a-f]+")  # of a stack, no guess
ERRORS = theme.BAD + Style(underline=True)  # without colour too


WARNING = 4


def letter(level: int | None) -> str:
    """Return the sign of a level."""
    return theme.LEVELS[level][0] if isinstance(level, int) and 0 <= level <= 7 else "?"


class LogView(Folding):
    """Records as lines."""

    BINDINGS = keys.bindings(keys.LOG)  # type: ignore[assignment]
    KEYS: ClassVar[tuple[keys.Key, ...]] = (*keys.without(keys.LINES, keys.LOG), *keys.LOG)

    def __init__(self, epoch: Callable[[], int | None], **more: Any) -> None:
        super().__init__("Log", every=True, **more)
        self.times = Times(epoch)
        self.oops: int | None = None  # the record where it begins
        self.level_step = 0
        self.following: str | frozenset[int] | None = None  # a caller, or the records of a block
        self.followed = ""  # it, in words
        self._surveying = False
        self._begin([])

    def _begin(self, rows: Sequence["LogRow"]) -> None:
        self.rows = self.view = LogRows(rows)
        self.troubles, self.density = Troubles(), Density()
        self.survey = Survey(rows, (self.rows.blocks, self.troubles, self.density))

    def set_rows(self, rows: Sequence["LogRow"]) -> None:
        """Show another list."""
        self._begin(rows)
        super().set_rows(rows)

    def fields(self) -> Sequence[Field]:
        """Return what a filter may name."""
        return [
            Field("level", "Level", "int", lambda row: row.level),
            Field("caller", "Caller", "state", lambda row: row.caller),
            Field("facility", "Facility", "int", lambda row: row.facility),
            Field("time", "Time", "seconds", lambda row: row.ns / BILLION if row.ns is not None else None),
            Field("text", "Text", "text", lambda row: row.text),
        ]

    # Words.

    def words(self, row: "LogRow") -> str:
        """Return the text alone."""
        return row.text or ""

    def written(self, row: "LogRow") -> str:
        """Return the line with its time, as it is copied and written; of a folded block all lines."""
        members = getattr(row, "members", None)
        return "\n".join(map(self._line, members if members is not None else (row,)))

    def _line(self, row: "LogRow") -> str:
        return f"{self.times.stamp(row.ns).strip()} {letter(row.level)} {clean(row.text or '')}"

    def caption(self) -> str:
        """Return the title with levels, caller and times."""
        words = [super().caption()]
        if self.level_step:
            words.append(LEVEL_STEPS[self.level_step][1])
        if self.followed:
            words.append(self.followed)
        return " · ".join([*words, self.times.words()])

    def parts(self, row: "LogRow") -> Sequence[Part]:
        """Return gutter and time, level and text: four styles at most."""
        more = type(row) is LogLine and not row.first
        in_oops = self.oops is not None and row.index >= self.oops
        stamp = " " * (self.times.width + 1) if more else self.times.stamp(row.ns) + " "
        level = row.level if isinstance(row.level, int) and 0 <= row.level <= 7 else 6
        sign = " " if more or level == 6 else theme.LEVELS[level][0]
        text = row.text or ""
        if type(row) is Head:
            text = f"▸ {row.said}" if row.folded else f"▾ {text.lstrip()}"
        registers = type(row) is Head and row.folded and self.rows.blocks.all[row.block].within is not None
        kind = tone(row.text or "", level, in_oops) if not registers else ""
        shown = clean(text.replace(chr(9), "    "))
        gutter = ("▌" if in_oops else " ", theme.BAD if in_oops else theme.PLAIN)
        if kind:  # four styles at most: few segments a line keep scrolling cheap
            return gutter, (stamp, theme.DIM), (f"{sign} {shown}", theme.BAD if kind == "cause" else theme.DIM)
        frame = FRAME.match(shown) if in_oops and type(row) is not Head else None
        if frame is not None:  # a symbol is a link: Enter names where it leads
            at, end = frame.span("name")
            return gutter, (stamp, theme.DIM), (f"{sign} {shown[:at]}", theme.DIM), (shown[at:end], theme.LINK), (
                shown[end:], theme.PLAIN)  # fmt: skip
        if level == WARNING:  # a yellow letter, not a yellow wall
            return gutter, (stamp, theme.DIM), (f"{sign} ", theme.DOUBT), (shown, theme.PLAIN)
        return gutter, (stamp, theme.DIM), (f"{sign} {shown}", theme.PLAIN if in_oops else theme.LEVELS[level][2])

    def indent(self) -> int:
        """Return the cells in front of the text."""
        return self.times.width + 4

    def unsearched(self, row: "LogRow") -> int:
        """Return how many characters in front of the text are not the text."""
        return self.indent() - self.left

    # What is shown: levels, a caller, a filter.

    def action_times(self) -> None:
        """Show the next kind of time."""
        if why := self.times.turn():
            self.say(why)
        self.refresh()

    def action_level(self, step: int) -> None:
        """Show the next set of levels."""
        self.level_step = (self.level_step + step) % len(LEVEL_STEPS)
        self._narrow()

    def action_follow(self) -> None:
        """Show only the records of the selected one's caller, or all again."""
        if self.following is not None:
            self.following, self.followed = None, ""
        elif self.row is not None:
            self._follow(self.row)
        self._narrow()

    def _follow(self, row: "LogRow") -> None:
        if row.caller:
            kind = {"T": "task", "C": "CPU"}.get(row.caller[0], "caller")
            number = row.caller[1:] if kind != "caller" else row.caller
            self.following, self.followed = row.caller, f"only {kind} {clean(number)}"
            return
        block = self.rows.blocks.holding(self.view.row_id(self.cursor))
        if block is None:
            self.say("this log does not record callers: c shows a block of a trace alone")
            return
        head = self.rows.blocks.heads[block]
        at = bisect_right(self.troubles.starts, head)
        begin = self.troubles.starts[at - 1] if at and head - self.troubles.starts[at - 1] < 32 else head
        members = [*range(begin, head), *self.rows.blocks.rows_of(block)]
        self.following = frozenset(self.view.rows[number].index for number in members)
        self.followed = "only this block (callers are not recorded)"

    def _passes(self) -> Test | None:
        limit, following = LEVEL_STEPS[self.level_step][0], self.following
        tests: list[Test] = []
        if limit != 7:
            tests.append(lambda row: row.level is None or row.level <= limit)
        if isinstance(following, frozenset):
            tests.append(lambda row: row.index in following)
        elif following is not None:
            tests.append(lambda row: row.caller == following)
        if len(tests) == 2:
            return lambda row: tests[0](row) and tests[1](row)
        return tests[0] if tests else None

    def _narrow(self) -> None:
        if len(self.view):
            self.current, self.touched = self.view.row_id(self.cursor), True
        self.also = self._passes()
        self.set_filter(self.filter_text)

    def set_filter(self, text: str) -> None:
        """Show only rows that pass; what a filter's words find is not folded."""
        before, self.rows.folding = self.rows.folding, not text.strip()
        try:
            super().set_filter(text)
        except QueryError:
            self.rows.folding = before
            raise

    def select(self, row_id: int) -> None:
        """Put the cursor on a row; what hides it is taken away: levels, a caller, a fold."""
        row = self.view.rows[row_id]
        if self.also is not None and not self.also(row):
            self.level_step, self.following, self.followed = 0, None, ""
            self._narrow()
        self.reveal(row_id)
        super().select(row_id)

    # Jumps.

    def row_of(self, index: int) -> int | None:
        """Return the first row of a record; records stand in order."""
        rows = self.view.rows
        at = bisect_left(rows, index, key=lambda row: row.index)
        return at if at < len(rows) and rows[at].index == index else None

    def action_oops(self) -> None:
        """Go to where the oops begins."""
        row_id = self.row_of(self.oops) if self.oops is not None else None
        if row_id is None:
            self.say("no oops is known in this log")
        elif self.view.position(row_id) is not None or not self.filter_text:
            self.select(row_id)

    def action_trouble(self, step: int) -> None:
        """Go to where the next or the previous error or oops begins."""
        if not len(self.view):
            return
        while self.survey.work(1.0):
            pass
        self.rows.arrange()
        here, starts = self.view.row_id(self.cursor), self.troubles.starts
        if step > 0:
            ahead: Sequence[int] = range(bisect_right(starts, here), len(starts))
        else:
            ahead = range(bisect_left(starts, here) - 1, -1, -1)
        for number in ahead:
            if self.rows.spot_of_row(starts[number]) is not None:  # levels and filters hide some
                self.reveal(starts[number])
                position = self.view.position(starts[number]) or 0
                self._to(position, centre=not self.top <= position < self.top + self.rows_in_view)
                self.say(f"error {number + 1:,} of {len(starts):,}")
                return
        self.say(f"no error {'after' if step > 0 else 'before'} this")

    # The survey: blocks, errors and density of the rows that came, a slice at a time.

    def look(self) -> None:
        """Take in the rows that came: so much at once that a usual log shows with its blocks folded."""
        if not self._surveying:
            self._look_on(AT_ONCE)

    def _look_on(self, budget: float = 0.008) -> None:
        before, count, lines = len(self.rows.blocks.starts), len(self.view), self._lines()
        more = self.survey.work(budget)
        self.rows.arrange()
        self._fit()
        if len(self.view) != count or len(self.rows.blocks.starts) != before:
            self.rearranged(lines)
        if not more:
            self.surveyed()
        self._surveying = more and self.is_attached
        if self._surveying:
            self.set_timer(SLICE, self._look_on)

    def surveyed(self) -> None:
        """Called when all rows that are there were looked at."""

    # The line of density.

    def _fit(self) -> None:
        """Show the density where there is one and the view is tall enough."""
        heads = 2 if self.density.known and self.size.height >= TALL else 1
        if heads != self.heads:
            self.heads = heads
            self._show_cursor()
            self.refresh()

    def on_resize(self) -> None:
        """Show the density where there is room; the handlers of what this is follow."""
        self._fit()

    def headings(self, width: int) -> list[Segment]:
        """Return the density: records over time, errors in red and underlined, the cursor's time reversed."""
        cells = self.density.cells(width)
        row = self.row
        here = self.density.cell_of(row.ns, width) if row is not None else None
        out: list[Segment] = []
        for at, cell in enumerate(cells):
            style = ERRORS if cell.error else theme.PLAIN
            if at == here:
                style += theme.CURSOR
            sign = HEIGHTS[cell.height - 1] if cell.height else " "
            if out and out[-1].style == style:
                out[-1] = Segment(out[-1].text + sign, style)
            else:
                out.append(Segment(sign, style))
        return [*out, Segment(" " * (width - len(cells)))]

    def _refresh_rows(self, *positions: int) -> None:
        """Draw rows anew, and the cursor's place on the density."""
        super()._refresh_rows(*positions)
        if self.heads > 1:
            super()._refresh_rows(self.top - 1)

    async def on_click(self, event: events.Click) -> None:
        """Go to the time that was clicked; fold or unfold by a block's sign; else select the row, or open it."""
        event.stop()
        event.prevent_default()  # rows are not where a plain list has them
        position = self.position_at(event.y)
        if event.y == 1 and self.heads > 1:
            self._to_time(event.x)
        elif position is not None:
            again, row = position == self.cursor, self.view.row(position)
            self._to(position)
            if type(row) is Head and abs(event.x + self.left - self.indent()) <= 1 and self.rows.folding:
                self._toggle(row.block)
            elif again:
                await self.action_open()

    def _to_time(self, cell: int) -> None:
        """Go to the first row of a cell of the density that the filter shows."""
        row_id = self.density.row_near(cell, self.size.width)
        if row_id is not None and self.rows.spots():
            self.reveal(row_id)
            self._to(self.view.nearest(row_id), centre=True)
