"""Many dumps: those that folders hold, and what each says in brief, read by several processes at a time."""

import ctypes
import resource
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from oopscope.dumps import find_dumps, find_format
from oopscope.errors import OopscopeError
from oopscope.fleet.brief import line_of
from oopscope.sources.file import FileSource
from oopscope.sources.names import is_named_so
from oopscope.sources.remote import Location, shown

PR_SET_PDEATHSIG = 1
SECONDS, MEMORY = 300, 2 << 30  # for one dump: an honest one of a large machine takes seconds and 200 MB


def expand(
    paths: Sequence[Location], missed: Callable[[Path, str], None] = lambda path, why: None
) -> Iterator[Location]:
    """Yield the dumps of folders in their place; of a split set the first part, which stands for all.

    `missed` is told of folders and files that could not be looked at, and why.
    """
    for path in paths:
        if isinstance(path, Path) and path.is_dir():
            yield from _whole(find_dumps(path, named=is_named_so, missed=missed))
        else:
            yield path


def _whole(found: Iterable[Path]) -> Iterator[Path]:
    """Leave out the parts of a split set but for its first, which stands for all."""
    parts: set[Path] = set()
    for path in found:
        if path not in parts:
            parts.update(_companions(path))
            yield path


def _companions(path: Path) -> Sequence[Path]:
    try:
        source = FileSource(path)
        line = find_format(source, guess=False)
        companions = getattr(import_module(line.module), "companions", None) if line else None
        return companions(source) if companions else ()
    except (OSError, OopscopeError):
        return ()


def lines_of(paths: Sequence[Location], jobs: int) -> Iterator[dict[str, Any]]:
    """Yield the dumps' lines in their order, also of those whose reading ends the process that does it."""
    if jobs == 1 or len(paths) == 1:
        yield from map(one, paths)
        return
    done = 0
    with _pool(jobs) as pool, suppress(BrokenProcessPool):
        for line in pool.map(one, paths):
            done += 1
            yield line
    for path in paths[done:]:  # one of them ended it: each by itself
        with _pool(1) as pool:
            try:
                yield pool.submit(one, path).result()
            except BrokenProcessPool:
                yield {"path": shown(path), "error": f"{shown(path)}: the process that read it was killed"}


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes; an interrupt waits for nothing that has not begun."""
    pool = ProcessPoolExecutor(jobs, initializer=_deaf)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _deaf() -> None:
    """Leave interrupts to the process that waits, and end with it, however it ends (prctl(2) of Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


class TookTooLong(BaseException):
    """A dump took longer than any may; no boundary of a section catches it."""


@contextmanager
def limited(seconds: int = SECONDS, more: int = MEMORY) -> Iterator[None]:
    """Bound what is done within, in time and in memory beyond what is in use; TookTooLong, MemoryError.

    Only in a process's main thread, where signals come; elsewhere nothing is bounded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = _in_use() + more
    before = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        if soft == resource.RLIM_INFINITY or soft > most:
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _too_long(_number: int, _frame: object) -> None:
    raise TookTooLong


def _in_use() -> int:
    """Return how many bytes of address space this process has."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 1 << 40


def one(path: Location) -> dict[str, Any]:
    """Return one dump's line; a function of this module, so that another process finds it by name."""
    try:
        with limited():
            return line_of(path)
    except TookTooLong:
        why = f"it took longer than {SECONDS} s"
    except MemoryError:
        why = f"it needed more than {MEMORY >> 20} MiB of memory"
    return {"path": shown(path), "error": f"{shown(path)}: {why}, and was left"}
