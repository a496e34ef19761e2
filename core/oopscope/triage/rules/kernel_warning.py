"""A warning that panic_on_warn or warn_limit made fatal. Follows kernel/panic.c (__warn, check_panic_on_warn)."""

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_dying
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import COMPLAINED, Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"WARNING: (?:CPU: \d+ PID: \d+ )?(?:at )?(?P<place>\S+:\d+)(?: at)?(?: (?P<name>[A-Za-z_][\w.]*)(?:\+|\())?"
)


def check(death: Death) -> Verdict | None:
    """Fire where panic() says that a warning was fatal, and no deeper rule knows what it warned of."""
    if death.oops is not None or death.panic is None or not COMPLAINED.search(death.panic_message or ""):
        return None
    report = death.cause if death.cause is not death.panic else None
    said = death.said(SAID)
    evidence = [death.from_log(death.lines[report.row])] if report else []
    words = _words(report)
    if words is not None:
        evidence.append(death.from_log(death.lines[words]))
    if said and (report is None or said[0] != death.lines[report.row]):
        evidence.append(death.from_log(said[0]))
    evidence.append(death.from_log(death.lines[death.panic.row]))
    culprit = _culprit(death)
    place = f" at {said[1]['place']}" if said else ""
    limit = "warn_limit" if "Warned too often" in (death.panic_message or "") else "panic_on_warn"
    text = death.lines[words].text.strip().rstrip(".") if words is not None else ""
    told = f": {text or (report.title if report and not report.title.startswith('WARNING: ') else '')}".rstrip(": ")
    return death.verdict(
        "software",
        "kernel-warning",
        "A warning, fatal by configuration",
        f"{culprit or 'The kernel'} warned{place}{told}; {limit} is set, which makes it fatal.",
        "certain" if report else "likely",
        evidence,
        ("Read the warning's condition in the source.", f"Without kernel.{limit} the machine would have gone on."),
        culprit=culprit,
    )


def _words(report: Report | None) -> int | None:
    """Return the row of what the warning itself says: free words between its marks and before its registers."""
    for row in report.rows if report else ():
        text = report.texts[row].strip() if report else ""
        if text.startswith(("CPU: ", "Modules linked in", "Call Trace")):
            return None
        if text and not text.startswith(("---", "WARNING: ", "RIP: ")):
            return row
    return None


def _culprit(death: Death) -> Frame | None:
    """Return who warned: by the stack, else by the warning's own pc."""
    if death.fault_frame is not None:
        return death.fault_frame
    report = death.cause
    own = first_not(death.sure, is_dying)
    if own is None and report is not None:
        own = first_not(report.frames, is_dying)
    return own
