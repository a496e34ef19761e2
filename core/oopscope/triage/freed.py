"""The life of the object that a death is about, for the rules: as evidence, in words, and whom it speaks against."""

from collections.abc import Iterator

from oopscope.klog.history import History, Touch, history
from oopscope.klog.report import Report
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence


def life(report: Report | None) -> History:
    """Return who allocated and freed the object of a checker's report; nothing where there is none."""
    return history(report) if report is not None else History(None, None)


def told(death: Death, of: History) -> Iterator[Evidence]:
    """Yield the lines that tell of an object's life, with the function that they name."""
    for what, touch, frame in of.named():
        text = f"the object was {what} in {frame} by the task with PID {touch.pid}"
        yield death.from_log(death.lines[touch.row], text)


def freer(of: History) -> str:
    """Return as a clause who had freed the object; nothing where that is not told."""
    return f"that {by(of.freed)} had freed" if of.freed is not None and of.freed.frame is not None else ""


def by(touch: Touch) -> str:
    """Return in words who touched an object."""
    return f"{touch.frame}, run by PID {touch.pid},"
