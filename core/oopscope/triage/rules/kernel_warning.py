"""A warning that panic_on_warn or warn_limit made fatal. Follows kernel/panic.c (__warn, check_panic_on_warn)."""

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_allocator, is_dying, is_helper, is_waiting
from oopscope.klog.end import HANGS
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import COMPLAINED, Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"WARNING: (?:\[.{1,200}\] )?(?:CPU: \d+ PID: \d+ )?(?:at )?(?P<place>\S+:\d+)"
    r"(?: at)?(?: (?P<name>[A-Za-z_][\w.]*)(?:\+|\())?"
)

# On the stack of a warning whose own words are lost; those of other checks are no warnings.
WARNS = ("__warn", "report_bug", "warn_slowpath_fmt", "warn_slowpath_null", "warn_slowpath_common")


def check(death: Death) -> Verdict | None:
    """Fire where panic() says that a warning was fatal, and no deeper rule knows what it warned of."""
    if death.oops is not None or not _is_one(death):
        return None
    report = death.cause if death.cause is not death.panic else None
    said = death.said(SAID)
    evidence = [death.from_log(death.lines[report.row])] if report else []
    words = _words(report)
    if words is not None:
        evidence.append(death.from_log(death.lines[words]))
    if said and (report is None or said[0] != death.lines[report.row]):
        evidence.append(death.from_log(said[0]))
    if death.panic is not None:
        evidence.append(death.from_log(death.lines[death.panic.row]))
    culprit = _culprit(death)
    place = f" at {said[1]['place']}" if said else ""
    limit = "warn_limit" if "Warned too often" in (death.panic_message or "") else "panic_on_warn"
    text = death.lines[words].text.strip().rstrip(".") if words is not None else ""
    told = f": {text or (report.title if report and not report.title.startswith('WARNING: ') else '')}".rstrip(": ")
    fatal = "" if death.lived else f"; {limit} is set, which makes it fatal"
    return death.verdict(
        "software",
        "kernel-warning",
        "A warning" if death.lived else "A warning, fatal by configuration",
        f"{culprit or 'The kernel'} warned{place}{told}{fatal}.",
        "certain" if report else "likely",
        evidence,
        (
            "Read the warning's condition in the source.",
            *(() if death.lived else (f"Without kernel.{limit} the machine would have gone on.",)),
        ),
        culprit=culprit,
    )


def _is_one(death: Death) -> bool:
    """Tell whether panic() says that a warning was fatal, or a log without a death ends with one."""
    if death.lived:
        return death.cause is not None and death.cause.kind not in HANGS and death.cause.kind != "oom"
    if death.panic is None or COMPLAINED.search(death.panic_message or "") is None:
        return False
    return death.cause is not death.panic or death.on_stack(*WARNS) is not None


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
        at = death.frames.index(death.fault_frame) if death.fault_frame in death.frames else 0
        beyond = first_not((f for f in death.frames[at:] if f.reliable), is_dying, is_helper, is_allocator, is_waiting)
        return beyond or death.fault_frame
    report = death.cause
    stacks = (death.sure, report.frames if report is not None else ())
    roles = (is_dying, is_helper, is_allocator, is_waiting)
    found = (first_not(frames, *some) for some in (roles, roles[:1]) for frames in stacks)
    return next((frame for frame in found if frame is not None), None)
