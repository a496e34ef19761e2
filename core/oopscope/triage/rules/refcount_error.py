"""A reference count went below zero, or was raised from zero: use after an object's end. Follows lib/refcount.c."""

from oopscope.kernel.functions import first_not, is_dying, is_helper
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(r"^refcount_t:? (.*)")
IN = lazy_re(r"^WARNING: .*\b(refcount_(?:inc|dec|add|sub|warn)\w*)[+(]")  # where its own words are lost


def check(death: Death) -> Verdict | None:
    """Fire where panic_on_warn or a fatal oops of the same task follows refcount_t's own complaint at once."""
    report = death.before("warning", "complaint") if death.oops or death.complaint else None
    found = report.find(SAID) or report.find(IN) if report else None
    if report is None or found is None:
        return None
    if death.oops is not None and report.pid is not None and death.oops.pid not in (None, report.pid):
        return None
    line, said = death.lines[found[0]], found[1]
    culprit = first_not(report.frames, is_dying, is_helper) or first_not(death.sure, is_dying, is_helper)
    evidence = [death.from_log(line)]
    then = ""
    if death.oops is not None:
        evidence.append(death.from_log(death.lines[death.oops.row]))
        then = f"; then {death.where} faulted"
    return death.verdict(
        "software",
        "refcount-error",
        "Reference count error",
        f"A reference count went wrong in {culprit or death.where} ({said[1].rstrip('.')}){then}.",
        "certain" if death.oops is None else "likely",
        evidence,
        ("Find the object's get and put calls: one path drops or takes one too many.",),
        culprit=culprit or death.culprit,
    )
