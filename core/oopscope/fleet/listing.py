"""The dumps of a folder, or of a command line: what is found, what a background triage learned of each, for a session.

`Listing.steps` runs on the worker's thread, one dump after another, and looks again every few seconds. It holds one
dump at a time, and lets go of it as soon as the screen wants another. Core is imported inside functions only.
"""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from oopscope.fleet.brief import brief
from oopscope.fleet.finding import begins_like_a_dump, is_log_alone, is_named_so, may_be_raw, reason, told_beside
from oopscope.fleet.times import epoch
from oopscope.sources.beside import log_beside

LOOK_EVERY = 4.0  # seconds between two looks, at least
SHOW_EVERY = 0.3  # seconds between two repaints while headers are read
QUIET = 6.0  # seconds without a change after which a file that grew is whole
FRESH = 8.0  # seconds: a file as young as this may still be written to
DEPTH = 4  # folders in folders
MOST_FILES = 20_000  # looked at
PACKED_MOST = 256 << 20  # bytes of a packed file that the triage unpacks unasked
GUESS_MOST = 64 << 20  # bytes of a file without a signature that are searched for signs of a kernel
PATIENCE = 10.0  # seconds that a dump waits for the one before it to be let go

DONE = ("complete", "incomplete", "unreadable")
State = Literal["found", "waiting", "reading", "written to", "complete", "incomplete", "unreadable", "part", "gone"]


class Interrupted(BaseException):
    """The screen wants something else: no boundary of core's may hold this up, so it is no Exception."""


class DumpFile(NamedTuple):
    """One dump of the list; None is not known (yet)."""

    name: str
    path: str | Path  # a URL is text
    size: int  # of the file
    modified: float | None
    format: str | None = None
    nodename: str | None = None
    release: str | None = None
    why: str | None = None  # why it cannot be read, or not further
    crashed: float | None = None  # the crash, or where only the header is known its writing
    state: State = "found"
    title: str | None = None  # the cause
    panic: str | None = None
    summary: str | None = None
    log: Path | None = None  # the log beside it
    parts: int = 1  # files of a split set, or of a state and its memory
    others: int = 0  # bytes of those that are not this file
    signature: str | None = None  # the same for the same bug; None for what is not known
    head: str | Path | None = None  # of a part: the file that stands for all

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return self.size + self.others

    @property
    def when(self) -> float | None:
        """The crash, as well as it is known: the list's order."""
        return self.modified if self.crashed is None else self.crashed

    @property
    def cause(self) -> str | None:
        """The cause, or in its place why there is none."""
        return self.title or self.why


class _Seen(NamedTuple):
    """A file as it was when last looked at."""

    bytes: int
    mtime: int
    changed: float  # by the monotonic clock, 0 for long ago

    @property
    def growing(self) -> bool:
        return self.changed > 0 and time.monotonic() - self.changed < QUIET


class Listing:
    """Everything known of some dumps; lives as long as the session, whichever screen shows it."""

    def __init__(self, paths: Sequence[str | Path] = ()) -> None:
        self.paths = tuple(paths)  # URLs are text
        self.rows: dict[str | Path, DumpFile] = {}
        self.chosen: str | Path | None = None  # the dump that was opened last
        self.said = ""  # why it could not be opened
        self.doing = ""  # what the triage does, for the status line
        self._lock = threading.Lock()  # held while a dump is open
        self._logs: set[str | Path | None] | None = None  # given with their dumps, as a shell's pattern does
        self._seen: dict[str | Path, _Seen] = {}
        self._known: dict[tuple[str | Path, int, int], DumpFile] = {}  # triaged, by path, size and time
        self._like: dict[tuple[Path, int, int], bool] = {}  # begins like a dump

    @property
    def folder(self) -> str | Path | None:
        """The one folder that is listed."""
        return self.paths[0] if len(self.paths) == 1 else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from opening a dump meanwhile; one that hangs holds nobody up for ever."""
        got = self._lock.acquire(timeout=PATIENCE)
        try:
            yield
        finally:
            if got:
                self._lock.release()

    # The triage.

    def steps(self, stopped: Callable[[], bool]) -> Generator[DumpFile | float]:
        """Yield rows as they become known, and between them how many seconds may pass before the next step."""
        yield from self.rows.values()
        yield 0.0
        while True:
            since = time.monotonic()
            self.doing = "" if self.rows else "looking for dumps"
            for row in self.look():
                self.rows[row.path] = row
                yield row
            yield 0.0
            cost = time.monotonic() - since
            shown = 0.0
            for path in self._newest("found"):
                yield from self._take(path, lambda row: self._header(row, stopped))
                if time.monotonic() - shown > SHOW_EVERY:
                    yield 0.0
                    shown = time.monotonic()
            todo = self._newest("waiting")
            until = time.monotonic() + LOOK_EVERY
            for path in todo:
                left = sum(row.state == "waiting" for row in self.rows.values())
                self.doing = f"triage of {self.rows[path].name} · {left:,} left"
                self.rows[path] = self.rows[path]._replace(state="reading")
                yield self.rows[path]
                yield 0.0
                yield from self._take(path, lambda row: self._triage(row, stopped))
                yield 0.0
                if time.monotonic() > until:  # a new one is the first to be read
                    break
            else:
                self.doing = ""
                yield max(LOOK_EVERY, 20 * cost)

    def _newest(self, state: State) -> list[str | Path]:
        found = [row for row in self.rows.values() if row.state == state]
        return [row.path for row in sorted(found, key=lambda row: row.when or 0.0, reverse=True)]

    def _take(self, path: str | Path, read: Callable[[DumpFile], DumpFile]) -> Generator[DumpFile]:
        """Read something of one dump; what goes wrong is told in its row."""
        row = self.rows[path]
        if row.state == "found" and isinstance(path, Path):
            row = row._replace(**told_beside(path)._asdict())
        try:
            with self.alone():
                row = read(row)
        except Interrupted:
            self.rows[path] = row._replace(state="waiting" if row.format else "found")
            return
        except Exception as error:  # noqa: BLE001  (the boundary of one dump: the others go on)
            row = row._replace(state="unreadable", why=reason(error, path))
        self.rows[path] = row
        seen = self._seen.get(path)
        if seen is not None and row.state in DONE:
            self._known[path, seen.bytes, seen.mtime] = row
        yield row

    def _header(self, row: DumpFile, stopped: Callable[[], bool]) -> DumpFile:
        """Return what the header says."""
        from oopscope.dumps import find_format, open_path, open_source
        from oopscope.sources.identify import what_is

        say = _sayer(stopped)
        packed = _packed(row.path)
        if packed:
            return row._replace(state="unreadable", why=f"packed ({packed}): opening it unpacks it first")
        if isinstance(row.path, Path):
            source = open_source(row.path, say)
            if find_format(source, guess=row.size <= GUESS_MOST) is None:
                if may_be_raw(row.path):
                    return row._replace(state="waiting")  # the triage searches it
                return row._replace(state="unreadable", why=what_is(source))
        facts = open_path(row.path, say=say).facts()
        row = row._replace(parts=facts.parts, others=max(0, facts.bytes - row.size) if facts.parts > 1 else 0)
        head = min(Path(source.name) for source in facts.sources) if facts.parts > 1 else None
        if head is not None and head != row.path and head in self.rows and self.rows[head].state != "gone":
            self._anew(head)
            return row._replace(state="part", head=head)
        return row._replace(
            size=row.size if isinstance(row.path, Path) else facts.bytes,
            format=facts.format,
            nodename=facts.nodename or None,
            release=facts.release or row.release,
            crashed=facts.timestamp or None,
            state="waiting",
            why=None if facts.complete else next(iter(facts.problems), "not complete"),
        )

    def _anew(self, path: str | Path | None) -> None:
        """Have a dump read again: one of its other files came or went."""
        row = self.rows.get(path) if path is not None else None
        if row is not None and row.state in DONE:
            self.rows[row.path] = DumpFile(row.name, row.path, row.size, row.modified)

    def _triage(self, row: DumpFile, stopped: Callable[[], bool]) -> DumpFile:
        """Return the row with the verdict: as `oopscope triage` has it, but let go of as soon as that is wanted."""
        from oopscope.errors import OopscopeError

        whole = row.why is None
        try:
            facts, system, found = brief(row.path, _sayer(stopped), lambda dump: _interruptible(dump, stopped))
        except OopscopeError as error:
            return row._replace(state="unreadable" if whole else "incomplete", why=reason(error, row.path))
        return row._replace(
            nodename=system.nodename or row.nodename,
            release=system.release or row.release,
            crashed=epoch(system.crash_time) or row.crashed,
            format=facts.format,
            state="complete" if facts.complete else "incomplete",
            title=found.title,
            signature=found.signature,
            summary=found.summary,
            panic=found.panic_message or row.panic,
        )

    # What is there.

    def look(self) -> list[DumpFile]:
        """Return what is new, changed or gone since the last look; reads the first bytes of what it does not know."""
        news: list[DumpFile] = []
        there: set[str | Path] = set()
        for path, why in self._files():
            there.add(path)
            if isinstance(path, str):
                found: DumpFile | None = self.rows.get(path) or DumpFile(self._name(path), path, 0, None)
            else:
                found = self._closed(path, why) if why else self._look_at(path)
            if found is not None and found != self.rows.get(path):
                news.append(found)
        for path, row in list(self.rows.items()):
            if path not in there and row.state != "gone":
                news.append(row._replace(state="gone"))
                self._seen.pop(path, None)
                self._anew(row.head)
            elif row.state == "part" and row.head not in there:
                news.append(row._replace(state="found", head=None))
        return news

    def _closed(self, path: Path, why: str) -> DumpFile:
        return self.rows.get(path) or DumpFile(self._name(path), path, 0, None, why=why, state="unreadable")

    def _look_at(self, path: Path) -> DumpFile | None:
        try:
            status = path.stat()
        except OSError as error:
            return self._closed(path, error.strerror or str(error)) if path in self.paths else None
        key = path, status.st_size, status.st_mtime_ns
        seen, now = self._seen.get(path), time.monotonic()
        if seen is None:
            young = 0 <= time.time() - status.st_mtime < FRESH
            seen = self._seen[path] = _Seen(key[1], key[2], now if young else 0.0)
        elif (seen.bytes, seen.mtime) != key[1:]:
            seen = self._seen[path] = _Seen(key[1], key[2], now)
        listed = path in self.paths or is_named_so(path) or may_be_raw(path)
        if not listed and not self._is_like(key):
            return None
        row = self.rows.get(path)
        same = row is not None and (row.size, row.modified) == (status.st_size, status.st_mtime)
        if seen.growing:
            state: State = "written to"
        elif row is not None and same and row.state not in ("written to", "gone"):
            return row
        elif key in self._known:
            return self._known[key]
        else:
            state = "found"
        return DumpFile(self._name(path), path, status.st_size, status.st_mtime, state=state)

    def _is_like(self, key: tuple[Path, int, int]) -> bool:
        like = self._like.get(key)
        if like is None:
            like = self._like[key] = begins_like_a_dump(key[0]) or is_log_alone(key[0])
        return like

    def _name(self, path: str | Path) -> str:
        """Return a path or a URL without what all of them begin with."""
        if isinstance(path, str):
            from oopscope.sources.remote import shown

            urls = [shown(one).split("/") for one in self.paths if isinstance(one, str)]
            same = next((at for at, parts in enumerate(zip(*urls, strict=False)) if len(set(parts)) > 1), 0)
            return "/".join(shown(path).split("/")[same:])
        try:
            common = os.path.commonpath([self.folder or one.parent for one in self.paths if isinstance(one, Path)])
            return str(path.relative_to(common))
        except ValueError:  # nothing in common: one is absolute, another is not
            return str(path)

    def _files(self) -> Iterator[tuple[str | Path, str]]:
        """Yield every file, and folders that cannot be looked into with the reason."""
        left = MOST_FILES
        if self._logs is None:
            self._logs = {log_beside(path) for path in self.paths if isinstance(path, Path)}
        todo = [(path, 0) for path in reversed(self.paths) if path not in self._logs]
        while todo and left > 0:
            path, depth = todo.pop()
            if isinstance(path, str) or (depth == 0 and not path.is_dir()):
                yield path, ""
                continue
            try:
                entries = sorted(islice(os.scandir(path), left), key=lambda entry: entry.name)
            except OSError as error:
                told = "no permission to look into it: try again with sudo"
                yield path, told if isinstance(error, PermissionError) else error.strerror or str(error)
                continue
            for entry in entries:
                left -= 1
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        if depth < DEPTH:
                            todo.append((Path(entry), depth + 1))
                    elif entry.is_file():
                        yield Path(entry), ""


def _interruptible(dump: Any, stopped: Callable[[], bool]) -> Any:
    return _Interruptible(dump, stopped)


class _Interruptible:
    """A dump that raises Interrupted at its next page once it is no longer wanted."""

    def __init__(self, dump: Any, stopped: Callable[[], bool]) -> None:
        self._dump, self._stopped = dump, stopped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dump, name)

    def page(self, pfn: int) -> bytes:
        """Return a page."""
        if self._stopped():
            raise Interrupted
        page: bytes = self._dump.page(pfn)
        return page

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield all memory."""
        for block in self._dump.blocks():
            if self._stopped():
                raise Interrupted
            yield block


def _packed(path: str | Path) -> str | None:
    """Return what a file is packed with that is too large to be unpacked unasked."""
    from oopscope.sources.file import FileSource
    from oopscope.sources.remote import open_remote
    from oopscope.sources.wrapped import wrapping

    if isinstance(path, Path) and not path.is_file():
        return None
    source = FileSource(path) if isinstance(path, Path) else open_remote(path)
    return wrapping(source.read_at(0, 16)) if source.size > PACKED_MOST else None


def _sayer(stopped: Callable[[], bool]) -> Callable[[str], None]:
    """Return what core tells of its progress to: a place to interrupt it."""

    def say(_text: str) -> None:
        if stopped():
            raise Interrupted

    return say
