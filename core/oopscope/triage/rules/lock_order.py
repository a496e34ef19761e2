"""The kernel's lock validator found an order of locks in which tasks can wait for each other. Follows lockdep.c.

What it reports need not have happened: it is what can. A lock that the task holds already is taken again is a deadlock.
"""

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import is_dying, is_helper, is_waiting
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"^(?:\[ )?(?:WARNING|INFO): (?P<what>possible (?:circular|recursive|irq lock|deadlock)[\w -]*|"
    r"inconsistent lock state|\S+ +-> +\S+ lock order detected)|"
    r"^(?:\[ )?BUG: (?P<spin>spinlock (?:recursion|lockup))"
)

AT = lazy_re(r", at: (?P<name>[A-Za-z_][\w.]*)\+0x(?P<at>[0-9a-f]+)/0x[0-9a-f]+(?: \[(?P<module>[\w-]+)\])?")


def check(death: Death) -> Verdict | None:
    """Fire where the validator's report is what led to the end, or what a log without a death ends with."""
    report = death.complaint
    found = report.find(SAID) if report is not None else None
    if report is None or found is None:
        return None
    culprit = _who_locks(report)
    words = (found[1]["what"] or found[1]["spin"]).strip()
    return death.verdict(
        "hang",
        "deadlock",
        "Possible deadlock" if found[1]["what"] else "Deadlock on a spinlock",
        f"{culprit or 'Code'} takes locks in an order in which tasks can wait for each other without end ({words}).",
        "possible" if found[1]["what"] else "likely",
        [death.from_log(death.lines[found[0]])],
        ("The report shows both orders: take the locks in one order everywhere, or with interrupts off.",),
        culprit=culprit,
    )


def _who_locks(report: Report) -> Frame | None:
    """Return who took the lock: the first frame that is neither the validator's nor a lock's, of the last stack.

    Where the stack is cut off, the place that the report names.
    """
    own = next((stack.frames for stack in reversed(report.stacks) if any(map(_is_validator, stack.frames))), ())
    frames = [f for f in own or report.frames if f.reliable] or own or report.frames
    roles = (is_dying, is_waiting, is_helper)
    found = next((f for f in frames if f.symbol and not any(role(f.symbol) for role in roles)), None)
    place = report.find(AT) if found is None else None
    return (
        found
        if place is None
        else Frame(0, place[1]["name"], int(place[1]["at"], 16), place[1]["module"], "task", True)
    )


def _is_validator(frame: Frame) -> bool:
    return (frame.symbol or "").split(".")[0] in ("__lock_acquire", "lock_acquire", "print_circular_bug", "spin_dump")
