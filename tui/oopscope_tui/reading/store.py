"""All that has been read so far, as the app's handlers keep it; panes only look.

Rows belong to the store; the views of the panes point into its lists.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from oopscope.commands.questions import Answer, Question
from oopscope.errors import is_absence
from oopscope.fleet.times import epoch
from oopscope.klog.lines import log_lines
from oopscope.subsystems import Column, Count, Table

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import (
        Counter,
        Cpu,
        DumpFile,
        Facts,
        Frame,
        Held,
        LogRow,
        Module,
        Problem,
        Record,
        Slab,
        Task,
        Verdict,
        Wait,
        WaitRow,
        Zone,
    )

ANSWERS = 2048  # answers kept


@dataclass(slots=True)
class Feed:
    """One table as it fills."""

    key: str
    rows: list[Any] = field(default_factory=list)
    table: Table | None = None  # what the table says of itself, once it is known
    count: Count | None = None  # how complete it is, once it is read
    state: Literal["waiting", "reading", "done", "failed", "absent"] = "waiting"
    why: str = ""
    problem: str = ""  # the first that was met in reading it

    @property
    def columns(self) -> Sequence[Column]:
        """The table's columns; none while it is not known."""
        return self.table.columns if self.table is not None else ()

    @property
    def lacks(self) -> str:
        """How much of the table is known to be missing; empty where nothing is."""
        if self.count is None or self.count.complete is not False or self.state == "failed":
            return ""
        return f"of {self.count.of:,}" if self.count.of is not None else "not complete"

    @property
    def note(self) -> str:
        """What stands in place of rows while there are none."""
        lost = self.count is not None and self.count.complete is False
        return {
            "waiting": "waiting to be read",
            "reading": "reading",
            "done": f"nothing could be read: {self.problem}" if self.problem else "not in the dump" if lost else "none",
            "failed": self.why if is_absence(self.why) else f"could not be read: {self.why}",
            "absent": "this version does not read it",
        }[self.state]


class Store:
    """Everything read."""

    def __init__(self) -> None:
        self.facts: Facts | None = None
        self.verdict: Verdict | None = None
        self.verdict_why = ""
        self.problems: Sequence[Problem] = ()
        self.tables: tuple[Table, ...] = ()
        self.answers: OrderedDict[Question, Answer] = OrderedDict()
        self.log_lines: list[LogRow] = []
        self._feeds: dict[str, Feed] = {}
        self._system: dict[str, Any] | None = None
        self._dumps: dict[object, int] = {}  # the row of each file
        self._oops: int | None = None
        self._oops_seen = 0  # rows that were looked at without a verdict's help
        self._oops_told = False  # the verdict said it

    def feed(self, key: str) -> Feed:
        """Return a table's feed, also before the table is known."""
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(key)
            if self.tables and key not in {table.key for table in self.tables}:
                feed.state = "absent"
        return feed

    def opened(self, facts: "Facts", tables: Sequence[Table]) -> None:
        """Take in what is known once the dump is open."""
        self.facts, self.tables = facts, tuple(tables)
        for table in tables:
            self.feed(table.key).table = table
        for feed in self._feeds.values():
            if feed.table is None:
                feed.state = "absent"

    def take_dumps(self, rows: "Sequence[DumpFile]") -> None:
        """Take in rows of the list of dumps, each in the place of what was known of the same file."""
        kept = self.feed("dumps").rows
        for row in rows:
            at = self._dumps.setdefault(row.path, len(kept))
            kept[at : at + 1] = [row]

    def add(self, key: str, rows: Sequence[Any], done: bool, why: str, count: Count | None = None) -> Feed:
        """Append rows to a table."""
        feed = self.feed(key)
        if key == "dumps":
            self.take_dumps(rows)
        else:
            feed.rows.extend(rows)
        if key == "log":
            self.log_lines.extend(log_lines(rows))
        feed.state = "failed" if why else "done" if done else "reading"
        feed.why, feed.count = why, count
        return feed

    def take_problems(self, problems: "Sequence[Problem]") -> None:
        """Keep what could not be read, and let each table know its first."""
        self.problems = tuple(problems)
        for problem in self.problems:
            feed = self.feed(problem.section)
            feed.problem = feed.problem or problem.message

    # Rows by what they are.

    @property
    def tasks(self) -> "list[Task]":
        """The threads."""
        return self.feed("tasks").rows

    @property
    def cpus(self) -> "list[Cpu]":
        """The CPUs."""
        return self.feed("cpus").rows

    @property
    def records(self) -> "list[Record]":
        """The records of the log."""
        return self.feed("log").rows

    @property
    def counters(self) -> "list[Counter]":
        """The counters of /proc/meminfo."""
        return self.feed("meminfo").rows

    @property
    def zones(self) -> "list[Zone]":
        """The zones of memory."""
        return self.feed("zones").rows

    @property
    def slabs(self) -> "list[Slab]":
        """The slab caches."""
        return self.feed("slabs").rows

    @property
    def modules(self) -> "list[Module]":
        """The modules."""
        return self.feed("modules").rows

    @property
    def locks(self) -> "list[Wait]":
        """The waits for sleeping locks."""
        return self.feed("locks").rows

    @property
    def waits(self) -> "list[WaitRow]":
        """The edges of the wait-for graph."""
        return self.feed("waits").rows

    @property
    def coverage(self) -> "list[Held]":
        """How much of each kind of memory the dump holds."""
        return self.feed("coverage").rows

    @property
    def dumps(self) -> "list[DumpFile]":
        """The dumps of a list."""
        return self.feed("dumps").rows

    def keep(self, question: Question, answer: Answer) -> None:
        """Remember an answer; the oldest goes when there are many."""
        self.answers[question] = answer
        while len(self.answers) > ANSWERS:
            self.answers.popitem(last=False)

    def answer(self, kind: str, key: Any) -> Answer | None:
        """Return what was found out about one thing; None while it was not."""
        return self.answers.get(Question(kind, key))

    def frames(self) -> "Iterator[Frame]":
        """Yield the frames of every stack that was read: the CPUs', then the tasks' that were looked at."""
        stacks = [row.frames for row in self.feed("cpus").rows]
        stacks += [answer.value for question, answer in self.answers.items() if question.kind == "stack"]
        for frames in stacks:
            yield from frames or ()

    @property
    def system(self) -> dict[str, Any]:
        """The system's facts by name; empty until they are read."""
        feed = self.feed("system")
        if feed.state != "done":
            return {}
        if self._system is None:
            self._system = {str(row.name): row.value for row in feed.rows if hasattr(row, "value")}
        return self._system

    @property
    def oops(self) -> int | None:
        """The row of the log at which the oops begins, None while none is known: the verdict's first log evidence."""
        rows = self.records
        if not rows:
            return None
        from oopscope.klog.trouble import CUT, first_trouble  # not needed for the first paint

        if not self._oops_told and self.verdict is not None:
            keys = [str(one.source.key) for one in self.verdict.evidence if one.source.kind == "log"]
            told = [int(key) for key in keys if key.isdigit()]
            at = bisect_left(rows, min(told), key=lambda row: row.index) if told else len(rows)
            if at < len(rows):
                self._oops_told = True
                self._oops = at - 1 if at and (rows[at - 1].text or "").startswith(CUT) else at
        if self._oops is None and len(rows) > self._oops_seen:
            self._oops = first_trouble(rows, self._oops_seen)
            self._oops_seen = len(rows)
        return self._oops

    def time(self, name: str) -> float | None:
        """Return one of the system's times as seconds since 1970."""
        return epoch(self.system.get(name))
