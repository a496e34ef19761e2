"""What lies beside a dump of how it was saved: the capture kernel's log, and the status that kdump writes last.

Both are kdump's (kexec-dmesg.log, vmcore-creation.status of kdump-utils). They say nothing of the dead kernel, only why
a dump is not whole; of the log that is what a tool said when it failed, in that tool's own words.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from oopscope.lazy_re import lazy_re
from oopscope.sources.beside import SAVING, STATUS

MOST, LINES, LONGEST = 256 << 10, 3, 200  # bytes of the log's end, lines of it that are told, characters of each
WELL = ("success", "complete", "ok", "0")  # a status that says so begins with one of these words
_FAILED = lazy_re(
    r"no space left|can't write|cannot write|input/output error|makedumpfile failed|saving vmcore failed|out of memory|"
    r"killed process \d+ \(makedumpfile|(connection|operation) timed out|connection refused|no route to "
    r"host|permission denied|read-only file system|failed to (save|dump|mount)",
)
_HEAD = lazy_re(r"(<\d+>)?\[ *\d+\.\d+\] *|[A-Z][a-z]{2} +\d+ [\d:]{8} \S+ ")


def failures_beside(path: Path) -> Iterator[str]:
    """Yield what the files beside a dump say of its saving that went wrong, in their own words."""
    status = _last(path.with_name(STATUS), 1 << 12).split("\n")[0].strip()
    if status and not status.lower().startswith(WELL):
        yield f"{STATUS} beside it says: {status[:LONGEST]}"
    said = [_HEAD.sub("", line, 1).strip() for line in _last(path.with_name(SAVING), MOST).splitlines()]
    failed = list(dict.fromkeys(line for line in said if _FAILED.search(line.lower())))
    for line in failed[-LINES:]:
        yield f"{SAVING} beside it says: {line[:LONGEST]}"


def _last(path: Path, most: int) -> str:
    """Return the end of a file's text; nothing where there is none."""
    with suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - most))
                return file.read(most).decode("utf-8", "replace").replace("\0", "")
    return ""
