"""What a checker's report tells of an object's life: who allocated it, and who freed it last.

SLUB prints both with the first function in the line itself (`Freed in f+0x1/0x2 [m] age=3 cpu=0 pid=42`, on older
kernels behind `INFO: `), where it was booted to keep them (slub_debug=U), with or without a stack behind it. KASAN and
KFENCE print a title (`Freed by task 42:`, `freed by task 42 on cpu 0 at 3.1s:`) and a stack. Follows mm/slub.c
(print_track), mm/kasan/report.c and mm/kfence/report.c. It knows one report, and no dump.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_allocator, is_dying, is_helper
from oopscope.klog.report import Report
from oopscope.klog.trace import frames_of, is_frame
from oopscope.lazy_re import lazy_re

MAX_FRAMES = 64  # of the stack of one of them

_TITLE = lazy_re(
    r"(?:INFO: )?(?P<what>[Aa]llocated|[Ff]reed) (?:"
    r"in (?P<place>.+?) age=\d+ cpu=\d+ pid=(?P<slub>-?\d{1,18})|by task (?P<task>\d{1,18})\b.*:$)"
)


class Touch(NamedTuple):
    """Who allocated or freed an object: the first function that is no allocator's, and the task's PID."""

    row: int  # of the log, of the line that says so
    frame: Frame | None
    pid: int


class History(NamedTuple):
    """An object's life as a report tells it; None is what it does not."""

    allocated: Touch | None
    freed: Touch | None

    def named(self) -> Iterator[tuple[str, Touch, Frame]]:
        """Yield what was done to the object, who did it, and in which function; what names no function is left out."""
        for what, touch in (("allocated", self.allocated), ("freed", self.freed)):
            if touch is not None and touch.frame is not None:
                yield what, touch, touch.frame


def history(report: Report) -> History:
    """Return who allocated and who freed the object of a report; where it tells of several, of the first."""
    found: dict[str, Touch] = {}
    for at, row in enumerate(report.rows):
        title = _TITLE.match(report.texts[row].strip())
        if title is not None:
            found.setdefault(title["what"].lower(), _touch(report, at, title))
    return History(found.get("allocated"), found.get("freed"))


def _touch(report: Report, at: int, title: re.Match[str]) -> Touch:
    lines = [title["place"]] if title["place"] else []
    lines += _stack(report, at)
    frame = first_not(frames_of(lines), is_helper, is_dying, is_allocator)
    return Touch(report.rows[at], frame, int(title["slub"] or title["task"]))


def _stack(report: Report, at: int) -> Iterator[str]:
    """Yield the frames that stand right behind a title."""
    for row in report.rows[at + 1 : at + 1 + MAX_FRAMES]:
        if not is_frame(report.texts[row]):
            return
        yield report.texts[row]
