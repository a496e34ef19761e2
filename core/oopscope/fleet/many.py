"""Many dumps: those that folders hold, and what each says in brief, read by several processes at a time."""

import signal
from collections.abc import Iterable, Iterator, Sequence
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


def expand(paths: Sequence[Location]) -> Iterator[Location]:
    """Yield the dumps of folders in their place; of a split set the first part, which stands for all."""
    for path in paths:
        if isinstance(path, Path) and path.is_dir():
            yield from _whole(find_dumps(path, named=is_named_so))
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
    """Leave interrupts to the process that waits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def one(path: Location) -> dict[str, Any]:
    """Return one dump's line; a function of this module, so that another process finds it by name."""
    return line_of(path)
