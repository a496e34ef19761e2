"""What the kernel's checkers of memory found (KASAN, KFENCE, KMSAN, KCSAN), for the rules: what, and where.

Follows mm/kasan/report.c, mm/kfence/report.c, mm/kmsan/report.c and kernel/kcsan/report.c.
"""

import re
from typing import NamedTuple

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_dying, is_helper, is_waiting
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death, Line

TITLE = lazy_re(
    r"BUG: (?P<tool>KASAN|KFENCE|KMSAN|KCSAN): (?P<what>(?:assert: )?[\w -]+?)(?: (?:read|write))? (?:on address|in) "
    r"(?P<name>(?<=in )[A-Za-z_][\w.]*)?(?:\+0x(?P<at>[0-9a-f]+)/0x[0-9a-f]+)?(?: \[(?P<module>[\w-]+)[^\]]*\])?"
)
ACCESS = lazy_re(r"(?P<access>Read|Write) of size (?P<size>\d+) at addr (?P<address>[0-9a-f]+) by task (?P<task>.+)")


class Found(NamedTuple):
    """One report of a checker."""

    tool: str
    what: str  # slab-use-after-free, out-of-bounds, double-free ...
    line: Line
    culprit: Frame | None
    report: Report


def found(death: Death) -> Found | None:
    """Return what a checker reported of the death: where its report was fatal, or an oops came right after it."""
    if death.oops is None and death.complaint is None:
        return None
    report = death.before("memory-error", "race")
    title = TITLE.match(report.title) if report else None
    if report is None or title is None:
        return None
    if death.oops is not None and not report.frames:  # a bare line before an oops: anybody could have written it
        return None
    return Found(title["tool"], title["what"].strip(), death.lines[report.row], _culprit(death, report, title), report)


def _culprit(death: Death, report: Report, title: "re.Match[str]") -> Frame | None:
    """Return the function that made the access: the one that the title names, or behind a helper who called it."""
    if title["name"] is None:
        return first_not(report.frames, is_helper, is_dying, is_waiting)
    frames = report.frames if any(f.symbol == title["name"] for f in report.frames) else death.frames
    at = next((i for i, f in enumerate(frames) if f.symbol == title["name"]), None)
    if is_helper(title["name"]) or is_dying(title["name"]) or is_waiting(title["name"]):
        behind = frames[at + 1 :] if at is not None else frames
        outer = first_not((f for f in behind if f.reliable), is_helper, is_dying, is_waiting)
        if outer is not None:
            return outer
    named = next((f for f in death.frames if f.symbol == title["name"]), None)
    if named is not None:
        return named
    return Frame(0, title["name"], int(title["at"] or "0", 16), title["module"], "task", True)
