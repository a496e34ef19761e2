"""Log: the kernel's last words, from the beginning of the oops on marked at the left; the selected record in full.

Records with several lines are shown as several. The drawer shows what a record names that has a place of its own.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oopscope.kernel.clock import difference, moment, seconds
from oopscope.kernel.fact import Link
from oopscope.klog.links import links
from oopscope_tui.look import theme
from oopscope_tui.look.text import clean, plural
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.cards import led_to
from oopscope_tui.panes.details import field_line
from oopscope_tui.panes.log.rows import Head
from oopscope_tui.panes.log.view import LogView
from oopscope_tui.places import Place
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, wrapped

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import LogRow

NAME = re.compile(r"[a-z][a-z0-9]+")
MOST_LINES = 400  # of a block in the drawer


class Log(Pane):
    """The log, and the selected record in full under it."""

    BESIDE = False
    NARROW = "drawer"
    needs = ("log", "system", "verdict")

    def make_main(self) -> Lines:
        """Return the log's view."""
        self._shown_oops = False
        self._modules: tuple[int, frozenset[str]] = (0, frozenset())
        view = LogView(lambda: self.store.system.get("log_epoch_ns"), id="main-log")
        view.say, view.surveyed = self._say, self._surveyed  # type: ignore[method-assign]
        return view

    def on_mount(self) -> None:
        """Begin with the times that the settings choose; the pane's own handler follows."""
        self.view.times.chosen = self.scope.settings.time

    def _say(self, text: str) -> None:
        self.scope.status.say(text)

    @property
    def view(self) -> LogView:
        """The main view, by its own type."""
        assert isinstance(self.main, LogView)
        return self.main

    def refill(self) -> None:
        """Take in new records; once all are there, begin where the oops does."""
        feed = self.store.feed("log")
        view, rows = self.view, feed.rows
        view.note = feed.note
        view.rows.matters(self._registers())
        times = view.times
        times.first_ns = next((row.ns for row in rows if row.ns is not None), 0)
        times.end_ns = next((row.ns for row in reversed(rows) if row.ns is not None), 0)
        oops = self.store.oops
        view.oops = rows[oops].index if oops is not None else None
        times.oops_ns = rows[oops].ns if oops is not None else None
        lines = self.store.log_lines
        if view.view.rows is not lines:
            view.set_rows(lines)
        else:
            view.grew()
        view.look()
        if feed.state == "done" and not self._shown_oops:
            self._shown_oops = True
            if self.wanted is None and view.cursor == 0 and view.oops is not None:
                view.action_oops()

    def _registers(self) -> tuple[str, ...]:
        """Return the registers that the faulting instruction made its address of, as the verdict knows them."""
        fault = getattr(self.store.verdict, "fault", None)
        return tuple(NAME.findall(fault.formula or fault.register or "")) if fault is not None else ()

    def _surveyed(self) -> None:
        """Unfold what killed the machine, once its block is known."""
        if self.view.oops is not None:
            self.view.mark_killer(self.row_of(self.view.oops))

    def row_key(self, row: "LogRow") -> int | str | None:
        """Return the record's index."""
        index: int = row.index
        return index

    def row_of(self, key: int | str) -> int | None:
        """Return the first line of a record; a link may carry the index as text."""
        return _at(self.store.log_lines, int(key)) if str(key).isdigit() else None

    def notes(self) -> list[str]:
        """Return counts by level."""
        rows = self.store.records
        errors = self.count("errors", rows, lambda row: row.level is not None and row.level <= 3)
        return [plural(len(rows), "record") + (f", {plural(errors, 'error')}" if errors else "")] if rows else []

    async def open_row(self, lines: Lines) -> None:
        """Open the record, or follow its link; say where it leads to nothing."""
        await super().open_row(lines)
        pane = self.scope.pane
        if pane is None or pane is self or pane.wanted is None or self.store.feed(pane.key).state != "done":
            return
        self._say(f"{pane.wanted.key} is not among the {pane.title.lower()}: it was gone by then")
        pane.wanted = None

    # The selected record.

    def detail_title(self) -> str:
        """Return the record's number."""
        return f"record {self.main.row.index}" if self.main.row is not None else ""

    def detail(self, width: int) -> Sequence[Line]:
        """Return the record's text in full, what it names, and its fields; of a folded block all its lines."""
        row = self.main.row
        if row is None:
            return empty(self.main.note, width)
        records = self.store.records
        at = _at(records, row.index)
        record = records[at] if at is not None else row
        folded = isinstance(row, Head) and row.members is not None
        parts = [one.text or "" for one in row.members[:MOST_LINES]] if folded else (record.text or "").split("\n")
        style = theme.LEVELS[row.level][2] if isinstance(row.level, int) and 0 <= row.level <= 7 else theme.PLAIN
        text: list[Line] = []
        for part in parts:
            text += wrapped(part.replace("\t", "    "), width, style)
        named = links("\n".join(parts), self._known_modules())
        linked = [
            line for one in named for line in field_line(one.title, clean(one.text), width, 10, _opened(one.link))
        ]
        fields = self._fields(row, width)
        if folded:
            return [*wrapped(row.said, width, theme.TITLE), *linked, *fields, BLANK, *text]
        return [*text, *([] if len(text) > 1 and not linked else [BLANK]), *linked, *fields]

    def _fields(self, row: "LogRow", width: int) -> list[Line]:
        known = isinstance(row.level, int) and 0 <= row.level <= 7
        level = f"{row.level} {theme.LEVELS[row.level or 0][1] if known else '?'}"
        lines = field_line("Caller", row.caller or "not recorded", width, 10, _caller(row.caller))
        lines += field_line("Level", level if row.level is not None else "not recorded", width, 10)
        if row.ns is None:
            return lines + field_line("Time", "not recorded", width, 10)
        lines += field_line("Boot time", f"{seconds(row.ns)} s", width, 10)
        epoch, oops = self.store.system.get("log_epoch_ns"), self.view.times.oops_ns
        wall = self._wall(epoch + row.ns) if epoch is not None else "not known: nothing tells when it booted"
        lines += field_line("UTC", wall, width, 10)
        if oops is not None:
            lines += field_line("From oops", f"{difference(row.ns, oops)} s", width, 10)
        return lines

    @staticmethod
    def _wall(ns: int) -> str:
        when = moment(ns)
        return f"{when:%Y-%m-%d %H:%M:%S} (the log's clock may run apart)" if when else "not a time"

    def _known_modules(self) -> frozenset[str]:
        rows = self.store.modules
        if self._modules[0] != len(rows):
            self._modules = len(rows), frozenset(row.name for row in rows if row.name)
        return self._modules[1]


def _opened(link: Link) -> Place | None:
    """Return the place of what a record names, in full where it is a row of a list."""
    place = led_to(link)
    return place._replace(open=True) if place is not None and link.kind != "symbol" else place


def _at(rows: Sequence["LogRow"], index: int) -> int | None:
    """Return the first row of a record; records stand in order."""
    at = bisect_left(rows, index, key=lambda row: row.index)
    return at if at < len(rows) and rows[at].index == index else None


def _caller(caller: str | None) -> Place | None:
    if not caller or not caller[1:].isdigit():
        return None
    return Place("cpus" if caller[0] == "C" else "tasks", int(caller[1:]), True)


PANE = Log
