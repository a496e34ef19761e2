"""What the kernel complained about and went on: warnings, and the reports of its checkers."""

from collections.abc import Iterator

from oopscope.kernel.functions import first_not, is_dying, is_helper
from oopscope.klog.history import history
from oopscope.klog.report import Report
from oopscope.klog.wordings import Kind
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding, Severity
from oopscope.triage.findings.of_log import age, besides, by_rows

MAX_SHOWN = 12
# The id, how grave it is, and how it is told, by the kind of report.
KINDS: dict[Kind, tuple[str, Severity, str]] = {
    "warning": ("warning", "warning", "the kernel warned"),
    "complaint": ("complaint", "warning", "the kernel complained"),
    "undefined": ("undefined-behaviour", "warning", "UBSAN complained"),
    "race": ("data-race", "warning", "KCSAN found a data race"),
    "lockdep": ("lockdep", "warning", "lockdep found an order of locks that can deadlock"),
    "atomic": ("scheduling-while-atomic", "error", "a task slept where sleeping is forbidden"),
    "memory-error": ("memory-corruption", "error", "a checker found a bad access"),
    "slab": ("memory-corruption", "error", "SLUB found its objects overwritten"),
    "bad-page": ("memory-corruption", "error", "a bad page was found"),
}


def find(death: Death) -> Iterator[Finding]:
    """Yield one finding for each complaint, however often it was made; the oldest is its age."""
    groups: dict[tuple[str, str], list[Report]] = {}
    for report in besides(death, *KINDS):
        if report.headings:
            groups.setdefault((report.kind, _place(report)), []).append(report)
    for reports in list(groups.values())[:MAX_SHOWN]:
        first = reports[0]
        slug, severity, words = KINDS[first.kind]
        times = f" {len(reports)} times, first" if len(reports) > 1 else ""
        text = f"{words}{times}{_where(first)}: {_said(first)}{_life(first)}"
        yield Finding(slug, severity, text, age(death, first.ns), by_rows(death, [r.row for r in reports]))


def _place(report: Report) -> str:
    return report.title.split(" at ")[-1].split("+")[0] if report.kind == "warning" else report.title.split(":")[0]


def _where(report: Report) -> str:
    frame = first_not(report.frames, is_dying, is_helper)
    return f" in {frame}" if frame is not None and report.kind == "warning" and frame.symbol else ""


def _life(report: Report) -> str:
    """Return as a clause who allocated and who freed the object of a report; nothing where it does not tell."""
    if report.kind not in ("slab", "memory-error"):
        return ""
    words = [f"{what} in {frame} (PID {touch.pid})" for what, touch, frame in history(report).named()]
    return f"; the object was {' and '.join(words)}" if words else ""


def _said(report: Report) -> str:
    """Return its words: what stands before a WARNING's own line says more than that."""
    head = next((text.strip() for text in report.head if text.strip() and not text.startswith(("---", "==="))), "")
    return (head or report.title).rstrip(".:! ")
