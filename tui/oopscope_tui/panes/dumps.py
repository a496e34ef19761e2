"""Dumps: what a folder holds, newest first, each with its cause as the triage comes to it; Enter opens one."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style

from oopscope.report.query import Field
from oopscope_tui.look import theme
from oopscope_tui.look.text import plural
from oopscope_tui.look.values import human_bytes, show
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.details import field_line
from oopscope_tui.places import Place
from oopscope_tui.settings import keys
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.table import Col, Table, col, reader
from oopscope_tui.widgets.textview import Line

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import DumpFile

STATES: dict[str, Style | None] = {"incomplete": theme.DOUBT, "written to": theme.DOUBT, "unreadable": theme.BAD,
                                   "found": theme.DIM, "waiting": theme.DIM, "reading": theme.DIM}  # fmt: skip
DETAIL_LINES = 9
TIMES = "\N{MULTIPLICATION SIGN}"
EMPTY = "no dump here yet; it is looked for again and again · oopscope demo has one"


def _when(seconds: float) -> str:
    """Return a moment as it is listed."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return "out of range"


def _short(name: str) -> str:
    """Return a dump's name without what most of them begin and end in: kdump's folders are told apart by the rest."""
    return re.sub(r"(?<=.)/(vmcore|dump\.\d+)$", "", name).removeprefix("127.0.0.1-")


class WhenCol(Col):
    """The time of the crash, or that of the file, marked so."""

    def text(self, row: "DumpFile") -> str:
        """Return the cell."""
        text = Col.text(self, row)
        return text if row.crashed is not None or row.modified is None else f"~{text}"


def _state_style(row: "DumpFile") -> Style | None:
    return STATES.get(row.state)


def _cause_style(row: "DumpFile") -> Style | None:
    return None if row.title else theme.DOUBT


COLUMNS = (
    col("name", "Dump", words=_short, least=22, most=44),
    WhenCol("when", "Crashed (UTC)", "int", words=_when, down=True, rank=1, value=reader("when")),
    col("bytes", "Size", "bytes", rank=4),
    col("state", "State", rank=2, least=12, style=_state_style),
    col("nodename", "Host", rank=3, most=24),
    col("cause", "Cause", least=20, most=60, style=_cause_style),
    col("release", "Kernel", rank=5, most=32),
    col("panic", "Panic", rank=6, least=24),
    col("format", "Format", rank=7),
)


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    with suppress(ValueError, OverflowError, OSError):
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return None


# What a filter may name and a file has: times as text, and what the columns have no room for.
FIELDS = (
    Field("name", "Dump", "text", reader("name")),
    Field("crashed", "Crashed (UTC)", "text", lambda row: _iso(row.crashed)),
    Field("written", "Written (UTC)", "text", lambda row: _iso(row.modified)),
    *(Field(column.key, column.title, column.kind, column.value) for column in COLUMNS[2:5]),
    Field("title", "Cause", "text", reader("title")),
    Field("summary", "Summary", "text", reader("summary")),
    Field("why", "Reason", "text", reader("why")),
    *(Field(column.key, column.title, column.kind, column.value) for column in COLUMNS[6:]),
    Field("parts", "Files", "int", reader("parts")),
    Field("log", "Log", "text", lambda row: str(row.log) if row.log else None),
)


class Bugs:
    """The dumps of each bug: how many, and the order of the bugs, the most frequent first."""

    def __init__(self) -> None:
        self.rank: dict[object, tuple[int, int]] = {}  # by the row's path: the bug's place, the dump's place in it
        self.said: dict[object, str] = {}

    def learn(self, rows: "Sequence[DumpFile]") -> None:
        """Group the rows; what is of no known cause stands each for itself, and last."""
        groups: dict[object, list[DumpFile]] = {}
        for row in rows:
            if row.state not in ("gone", "part"):
                groups.setdefault(row.signature or ("?", row.path), []).append(row)
        ordered = sorted(groups.items(), key=lambda one: (isinstance(one[0], tuple), -len(one[1]), str(one[0])))
        self.rank, self.said = {}, {}
        for place, (bug, members) in enumerate(ordered):
            members.sort(key=lambda row: -(row.when or 0))
            hosts = len({row.nodename for row in members if row.nodename})
            first = f"{TIMES}{len(members)}" + (f" on {hosts} hosts" if hosts > 1 else "")
            for at, row in enumerate(members):
                self.rank[row.path] = place, at
                self.said[row.path] = "?" if isinstance(bug, tuple) else "  ├" if at else first

    def order(self, row: "DumpFile") -> int:
        """Return where a row stands."""
        place, at = self.rank.get(row.path, (1 << 20, 0))
        return place * (1 << 20) + at


class SaidCol(Col):
    """How many dumps are of the row's bug: told at the first of them."""

    said: ClassVar[dict[object, str]] = {}

    def text(self, row: "DumpFile") -> str:
        """Return the cell."""
        return self.said.get(row.path, "?")


class DumpTable(Table):
    """The list."""

    BINDINGS = keys.bindings((*keys.TABLE, *keys.DUMPS))
    KEYS: ClassVar[tuple[keys.Key, ...]] = (*keys.DUMPS, *keys.without(keys.LINES, keys.DUMPS), *keys.TABLE)
    bugs: Bugs | None = None

    def action_group(self) -> None:
        """Group the list by bug, or show it by time again."""
        self.bugs = None if self.bugs is not None else Bugs()
        self.regroup()
        if self.bugs is None:
            self.set_columns(COLUMNS)
            self.sort_by(COLUMNS[1])

    def regroup(self) -> None:
        """Take in what was learned since."""
        if self.bugs is None:
            return
        bugs = self.bugs
        bugs.learn(self.view.rows)
        shown = SaidCol("bug", "Same bug", "text", value=bugs.order, least=8)
        SaidCol.said = bugs.said
        self.set_columns((shown, *COLUMNS))
        self.sort_by(shown, False)

    def fields(self) -> Sequence[Field]:
        """Return what a filter may name, and a file has."""
        return FIELDS


class Dumps(Pane):
    """The dumps of a folder, or of the command line."""

    NARROW = "under"
    BESIDE = False

    def make_main(self) -> Lines:
        """Return the list, the newest first; what is gone, or is part of another, is in the store and out of sight."""
        table = DumpTable("Dumps", COLUMNS, id="main-dumps")
        table.sort_by(COLUMNS[1])
        table.also = lambda row: row.state not in ("gone", "part")
        table.set_filter("")
        return table

    def refill(self) -> None:
        """Take in what was found and learned, in its order."""
        feed, table = self.store.feed("dumps"), self.main
        table.note = {"done": EMPTY, "waiting": "looking for dumps", "reading": "looking for dumps"}.get(
            feed.state, feed.note
        )
        if isinstance(table, Table):
            table.set_columns(COLUMNS)  # as wide as what has come by now
        table.set_rows(feed.rows)  # the same list, but rows of it have changed
        if isinstance(table, DumpTable):
            table.regroup()

    def under_height(self) -> int:
        """Return a few lines: the list matters more."""
        return min(DETAIL_LINES, max(4, self.app.size.height // 3))

    def row_key(self, row: "DumpFile") -> int | str | None:
        """Return the path."""
        return None if row is None else str(row.path)

    def notes(self) -> list[str]:
        """Return the counts."""
        rows = [row for row in self.main.view.rows if row.state not in ("gone", "part")]
        unread = sum(row.state == "unreadable" for row in rows)
        return [plural(len(rows), "dump") + (f", {unread:,} unreadable" if unread else "")]

    def selected_link(self) -> Place | None:
        """Open the dump itself."""
        if self.main.row is not None:
            self.scope.leave_for(self.main.row.path)
        return None

    def detail_title(self) -> str:
        """Return the dump's name."""
        return self.main.row.name if self.main.row is not None else ""

    def detail(self, width: int) -> Sequence[Line]:
        """Return all that is known of the selected dump."""
        row = self.main.row
        if row is None:
            return empty("", width)
        whole = row.state if row.state != "written to" else "still being written: its size or time changed just now"
        files = f" in {row.parts} files" if row.parts > 1 else ""
        size = f", {human_bytes(row.bytes)}{files}" if row.bytes or row.modified is not None else ""
        facts = [
            ("Cause", row.title or ("" if row.why else "not known yet"), None),
            ("", row.summary, None),
            ("Reason" if row.state == "unreadable" else "Lacking", row.why, theme.DOUBT),
            ("Panic", row.panic, None),
            (
                "State",
                f"{whole}{size}, {row.format or 'format not known'}" if size else whole,
                _state_style(row),
            ),
            ("Host", ", ".join(word for word in (row.nodename, row.release) if word), None),
            ("Crashed", f"{_when(row.crashed)} UTC" if row.crashed is not None else "", None),
            ("Written", f"{_when(row.modified)} UTC" if row.modified is not None else "", None),
            ("Log", row.log.name if row.log else "", None),
        ]
        lines: list[Line] = []
        for title, value, style in facts:
            if value:
                lines += field_line(title, show("text", value), width, 8, style=style)
        return lines


PANE = Dumps
