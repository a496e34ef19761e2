"""An oops that the machine survived: the task that it killed may have left locks and work behind."""

from collections.abc import Iterator

from oopscope.klog.report import Report
from oopscope.linux.task_state import called
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.triage.findings.of_log import age, besides, by_rows

MAX_SHOWN = 8


def find(death: Death) -> Iterator[Finding]:
    """Yield each oops besides the death's own."""
    found = besides(death, "oops")
    for report in found[:MAX_SHOWN]:
        rows = list(dict.fromkeys([*report.headings[:3], report.row]))
        yield Finding("earlier-oops", "error", words(report), age(death, report.ns), by_rows(death, sorted(rows)))
    if len(found) > MAX_SHOWN:
        yield Finding(
            "earlier-oops", "error", f"{len(found) - MAX_SHOWN} more oopses were survived",
            age(death, found[MAX_SHOWN].ns), by_rows(death, [r.row for r in found[MAX_SHOWN:]]),
        )  # fmt: skip


def words(report: Report) -> str:
    """Return an oops in words: who, where, what."""
    who = called(report.pid, report.comm) if report.comm is not None or report.pid is not None else "a task"
    place = next((f for f in report.frames if f.symbol), None)
    where = f" in {place}" if place is not None else ""
    said = report.title.rstrip(".:! ")
    return f"an oops of {who}{where} was survived: {said}"
