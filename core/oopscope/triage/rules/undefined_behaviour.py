"""Undefined behaviour of C that UBSAN saw, fatal by panic_on_warn or as a trap. Follows lib/ubsan.c."""

from oopscope.kernel.functions import first_not, is_dying
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(r"^(?:Internal error: )?UBSAN: (?P<what>[\w -]+?)(?: in (?P<place>\S+))?(?=$|[:\s\[])")


def check(death: Death) -> Verdict | None:
    """Fire on UBSAN's report, where it was fatal."""
    report = death.cause
    said = death.said(SAID)
    if report is None or said is None or (report.kind != "undefined" and death.oops is None):
        return None
    culprit = first_not(death.sure, is_dying) or first_not(report.frames, is_dying)
    detail = report.find(
        r"^(?:index .* is out of range|shift exponent|signed integer|load of value|.* misaligned address).*"
    )
    evidence = [death.from_log(said[0])]
    if detail:
        evidence.append(death.from_log(death.lines[detail[0]]))
    place = f" at {said[1]['place']}" if said[1]["place"] else ""
    words = said[1]["what"].replace("-", " ")
    return death.verdict(
        "software",
        "undefined-behaviour",
        "Undefined behaviour (UBSAN)",
        f"{culprit or 'Code'}{place} did what C leaves undefined ({words}), {death.by}.",
        "certain",
        evidence,
        ("Read the line that UBSAN names: the index, shift or pointer came from outside of its bounds.",),
        culprit=culprit,
    )
