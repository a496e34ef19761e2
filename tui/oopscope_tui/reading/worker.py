"""The only thread: it opens the dump and reads it, table by table, and posts what it finds.

Reading a table is a generator, so the worker can put it aside between two batches: what the user looks at comes
first, whatever was begun before. It touches no widget, and it is a daemon: leaving the screen never waits for a read.
"""

import gc
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

from textual.message import Message

from oopscope.commands.questions import Question
from oopscope.fleet.listing import Listing
from oopscope.subsystems import Count, Table
from oopscope_tui.reading import messages as told
from oopscope_tui.reading.provider import Provider

BATCH_SECONDS = 0.05  # rows are posted this often
BATCH_ROWS = 2000
SWITCH = 0.001  # seconds; of the default 5 ms a key press would wait several
NOW = -1  # rank of what the user waits for


@dataclass(slots=True)
class Job:
    """Something to read: its steps, its name for the progress line, its rank (lowest first)."""

    key: str
    title: str
    steps: Iterator[None]
    rank: int


class Reader:
    """Runs jobs on one daemon thread; every method but `_run` and below may be called from the screen."""

    def __init__(
        self,
        provider: Provider,
        paths: Sequence[str | Path],
        post: Callable[[Message], object],
        listing: Listing,
        listed: bool,
    ) -> None:
        self._provider = provider
        self._listing, self._listed = listing, listed
        self._triage: Iterator[None] | None = None  # of the list: whatever else there is comes first
        self._due = 0.0  # when its next step may be taken
        self._paths = paths
        self._tell = post
        self._kernel: Any = None
        self._jobs: list[Job] = []
        self._wanted: tuple[str, ...] = ()
        self._unopened: dict[str, Job] = {}  # tables that are read when somebody opens them
        self._problems = 0
        self._rows: dict[str, int] = {}  # posted so far, by table
        self._stop = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="oopscope-reader", daemon=True)

    def start(self) -> None:
        """Begin with opening the dump.

        The screen gets the interpreter back within a millisecond when a key comes, and no full collection stops both
        threads for a second to look at a million rows that are all alive.
        """
        sys.setswitchinterval(SWITCH)
        gc.set_threshold(20_000, 50, 100)
        self._thread.start()

    def stop(self) -> None:
        """Stop at the next step; nobody waits for it."""
        with self._wake:
            self._stop = True
            self._wake.notify()

    def want(self, keys: Sequence[str]) -> None:
        """Read these before the others: the user looks at them."""
        with self._wake:
            self._wanted = tuple(keys)
            self._begin_wanted()

    def _begin_wanted(self) -> None:
        """Begin to read the tables that wait to be opened and now are; the lock is held."""
        opened = [self._unopened.pop(key) for key in self._wanted if key in self._unopened]
        self._jobs += opened
        if opened:
            self._wake.notify()

    def ask(self, question: Question) -> None:
        """Answer a question next; of a kind only the latest asked counts."""
        self._add(Job(question.kind, question.kind, self._answer(question), NOW), replace=True)

    def write(self, title: str, steps: Iterator[None]) -> None:
        """Write a file, a batch at a time."""
        self._add(Job("write", title, steps, NOW))

    def _add(self, job: Job, replace: bool = False) -> None:
        with self._wake:
            if replace:
                self._jobs = [other for other in self._jobs if other.key != job.key]
            self._jobs.append(job)
            self._wake.notify()

    # From here on: the thread's own.

    def _run(self) -> None:
        with ExitStack() as stack:
            if not self._listed and not self._are_one():
                self._listed = True
                self._post(told.SeveralFound())
            if self._listed:
                self._triage = self._look()
            else:
                stack.enter_context(self._listing.alone())
                if not self._open():
                    return
            try:
                while (job := self._next()) is not None:
                    self._step(job)
            except Exception as error:  # noqa: BLE001  (no job lets one through: then it is a fault here, and is said)
                self._say(f"reading stopped: {describe(error)}")
            self._kernel, self._jobs = None, []  # before the next dump is opened

    def _are_one(self) -> bool:
        """Tell whether the paths are one dump; where that cannot be told, opening them says why."""
        if len(self._paths) < 2:
            return True
        try:
            return self._provider.are_one(self._paths)
        except Exception:  # noqa: BLE001  (a fault in looking is met again, and told, in opening)
            return True

    def _open(self) -> bool:
        if self._stop:
            return False
        try:
            self._kernel = self._provider.open(self._paths, self._say)
            facts = self._provider.facts(self._kernel)
            tables = self._provider.tables()
        except Exception as error:  # noqa: BLE001  (the boundary: whatever it is, the screen leaves with one line)
            why, status = self._provider.trouble(error)
            self._post(told.NotOpened(why, status))
            return False
        self._post(told.Opened(facts, tables))
        with self._wake:
            self._jobs[:0] = self._tables(tables)
            self._begin_wanted()
        return True

    def _look(self) -> Generator[None]:
        """Post the dumps of a list as they become known, again and again: a step is what comes up to a pause."""
        rows: list[Any] = []
        try:
            for row in self._provider.dumps(self._listing, lambda: self._stop):
                if not isinstance(row, float):
                    rows.append(row)
                    continue
                self._due = monotonic() + row
                self._post(told.RowsRead("dumps", rows, done=bool(row)))
                self._say(self._listing.doing)
                rows = []
                yield
            self._post(told.RowsRead("dumps", rows, done=True))
        except Exception as error:  # noqa: BLE001  (the boundary of a pane: it shows what it caught)
            self._post(told.RowsRead("dumps", rows, done=True, why=describe(error)))

    def _finish(self) -> Generator[None]:
        """Let core keep what it learned; whether that works is nobody's concern here."""
        with suppress(Exception):
            self._provider.finish(self._kernel)
        yield

    def _tables(self, tables: Sequence[Table]) -> list[Job]:
        """Return what is read when nobody asks for one: the verdict, then the tables in their order."""
        jobs = [Job("verdict", "the verdict", self._reach_verdict(), 0)]
        for at, one in enumerate(tables, 1):
            job = Job(one.key, one.title.lower(), self._read_table(one), at)
            if one.when_opened:
                self._unopened[one.key] = job
            else:
                jobs.append(job)
        last = len(tables) + 1
        jobs.append(Job("findings", "what else was wrong", self._find_more(), last))
        return [*jobs, Job("finish", "", self._finish(), last)]

    def _next(self) -> Job | None:
        """Return the job to step now; wait while there is none; None to stop."""
        with self._wake:
            while not self._stop and not self._jobs:
                if self._triage is not None and monotonic() >= self._due:
                    return Job("dumps", "", self._triage, 0)
                self._post(told.Said(""))
                self._wake.wait(None if self._triage is None else max(0.0, self._due - monotonic()))
            if self._stop:
                return None
            wanted = self._wanted
            return min(
                self._jobs, key=lambda job: (job.rank if job.rank < 0 else 0 if job.key in wanted else 1, job.rank)
            )

    def _step(self, job: Job) -> None:
        if job.title:
            rows = self._rows.get(job.key, 0)
            verb = "" if job.key == "write" else "reading "
            self._say(f"{verb}{job.title}" + (f" · {rows:,}" if rows else ""))
        finished = next(job.steps, self) is self
        with self._wake:
            if finished and job in self._jobs:
                self._jobs.remove(job)
            if finished and job.key == "dumps":
                self._triage = None
        if self._listed:
            return
        problems = self._provider.problems(self._kernel)
        if len(problems) != self._problems:
            self._problems = len(problems)
            self._post(told.ProblemsSeen(problems))

    def _say(self, text: str) -> None:
        self._post(told.Said(text))

    def _post(self, message: Message) -> None:
        if self._stop:
            return
        try:
            self._tell(message)
        except RuntimeError:  # the screen is gone between the look and the post
            self._stop = True

    def _read_table(self, table: Table) -> Generator[None]:
        """Post a table's rows in batches; whatever goes wrong costs this table only, and says so in its pane."""
        key, batch = table.key, list[Any]()
        try:
            since = perf_counter()
            for row in table.rows(self._kernel):
                batch.append(row)
                if len(batch) >= BATCH_ROWS or perf_counter() - since > BATCH_SECONDS:
                    self._post(told.RowsRead(key, batch, done=False))
                    self._rows[key] = self._rows.get(key, 0) + len(batch)
                    batch, since = [], perf_counter()
                    yield
        except Exception as error:  # noqa: BLE001  (the boundary of a pane: it shows what it caught)
            self._post(told.RowsRead(key, batch, done=True, why=describe(error)))
            return
        count: Count | None = None
        with suppress(Exception):  # a doubt about the count costs no row
            count = table.counted(self._kernel, self._rows.get(key, 0) + len(batch))
        self._post(told.RowsRead(key, batch, done=True, count=count))

    def _reach_verdict(self) -> Generator[None]:
        try:
            self._post(told.VerdictReached(self._provider.verdict(self._kernel)))
        except Exception as error:  # noqa: BLE001  (the boundary of a pane)
            self._post(told.VerdictReached(None, describe(error)))
        yield

    def _find_more(self) -> Generator[None]:
        """Tell what else was wrong, once the tables that it is found in are read."""
        with suppress(Exception):  # the verdict stands without it
            verdict = self._provider.verdict(self._kernel)
            found = self._provider.findings(self._kernel) if verdict is not None else ()
            if found:
                self._post(told.VerdictReached(verdict._replace(findings=tuple(found))))
        yield

    def _answer(self, question: Question) -> Generator[None]:
        try:
            self._post(told.Answered(question, self._provider.answer(self._kernel, question)))
        except Exception as error:  # noqa: BLE001  (the boundary of a pane)
            self._post(told.Answered(question, None, describe(error)))
        yield


def describe(error: BaseException) -> str:
    """Return an error in one line; one that nobody raised on purpose carries its type."""
    text = " ".join(str(error).split())
    purposeful = any(base.__name__ == "OopscopeError" for base in type(error).__mro__)
    if purposeful and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
