"""Which files are dumps, which of them are one dump, and the log that lies beside one.

It looks at names, signatures and the logs' text; the listing in folder.py decides what is read of a dump itself. Core
is imported inside functions only.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from oopscope.lazy_re import lazy_re
from oopscope.sources.beside import belongs, log_beside

LOG_MOST = 4 << 20  # bytes read of a log beside a dump
MOST_BESIDE = 20_000  # files of a folder that are looked at
_RAW = (".vmem", ".raw", ".lime", ".mem", ".dd")  # images of memory bear these names, and no signature
_STAMP = lazy_re(r"(<\d+>)?(\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?)?")


def is_named_so(path: Path) -> bool:
    """Tell whether a file bears a dump's name: then it is listed whatever it holds, with the reason if it is none."""
    from oopscope.sources import names

    return names.is_named_so(path.name)


def may_be_raw(path: Path) -> bool:
    """Tell whether a file may be an image of memory without a signature, by its name and size."""
    from oopscope.dumps.raw import MIN_SIZE

    with suppress(OSError):
        return path.suffix.lower() in _RAW and path.stat().st_size >= MIN_SIZE
    return False


def begins_like_a_dump(path: str | Path) -> bool:
    """Tell by signature, of what is packed by that of its content."""
    from oopscope.dumps import begins_like_a_dump, open_source
    from oopscope.errors import OopscopeError
    from oopscope.sources.file import FileSource
    from oopscope.sources.remote import is_remote

    try:
        return begins_like_a_dump(open_source(path) if is_remote(path) else FileSource(Path(path)))
    except (OSError, OopscopeError):
        return False


def is_log_alone(path: Path) -> bool:
    """Tell whether a file is a kernel log that was not saved with a dump that lies beside it."""
    from oopscope.dumps import begins_like_a_log
    from oopscope.errors import OopscopeError
    from oopscope.sources.file import FileSource

    try:
        if not begins_like_a_log(FileSource(path)):
            return False
        with os.scandir(path.parent) as entries:
            near = [Path(e) for e in islice(entries, MOST_BESIDE) if e.name != path.name and belongs(path, [Path(e)])]
    except (OSError, OopscopeError):
        return False
    return not any(is_named_so(other) or begins_like_a_dump(other) for other in near)


def are_one(paths: Sequence[str | Path]) -> bool:
    """Tell whether several paths are one dump: a split set, or a state and its memory; so too where none is a dump."""
    from oopscope.dumps import open_path
    from oopscope.errors import OopscopeError
    from oopscope.sources.remote import is_remote

    if len(paths) < 2:
        return True
    if any(not is_remote(path) and Path(path).is_dir() for path in paths):
        return False
    dumps = [path for path in paths if begins_like_a_dump(path)]
    try:
        known = [open_path(path).facts().format for path in dumps] if len(dumps) > 1 else []
        if any(name != "kdump" for name in known):
            return False  # other formats take what is given with the first for nothing
        open_path(*paths)
    except OopscopeError:
        return not dumps
    return True


def reason(error: BaseException, path: str | Path) -> str:
    """Return an error in one line without the path, which stands beside it."""
    from oopscope.errors import OopscopeError
    from oopscope.sources.remote import shown

    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split()).removeprefix(f"{shown(path)}: ").removeprefix(f"{shown(path)} ")
    return text if isinstance(error, OopscopeError) and text else f"a fault of oopscope's own: {error!r}"


class Beside(NamedTuple):
    """What the log beside a dump tells of it."""

    log: Path | None = None
    panic: str | None = None  # the line that begins the oops
    release: str | None = None


def told_beside(path: Path) -> Beside:
    """Return what the log beside a dump tells: its kernel, and the line that begins the oops."""
    from oopscope.klog.trouble import trouble_in  # its patterns are not needed for the first paint

    log = log_beside(path)
    if log is None:
        return Beside()
    try:
        with log.open("rb") as file:
            text = file.read(LOG_MOST).decode("utf-8", "replace")
    except OSError:
        return Beside()
    release = None
    for line in text.splitlines():
        words = line[_STAMP.match(line).end() :]  # type: ignore[union-attr]  # an empty match is one too
        if release is None and words.startswith("Linux version "):
            release = words.split()[2]
        if trouble_in(words):
            return Beside(log, words.strip(), release)
    return Beside(log, None, release)
