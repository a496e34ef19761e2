"""A reference count overflowed, or was used after it fell to zero. Follows lib/refcount.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire where panic_on_warn or a fatal oops follows refcount_t's own complaint at once."""
    report = death.before("warning", "complaint") if death.oops or death.complaint else None
    found = report.find(r"^refcount_t: (.*)") if report else None
    if found is None:
        return None
    said = (death.lines[found[0]], found[1])
    return death.verdict(
        "software",
        "refcount-error",
        "Reference count error",
        f"A reference count went wrong in {death.where}: {said[1][1].rstrip('.')}.",
        "certain" if death.oops is None else "likely",
        [death.from_log(said[0])],
        ("Find the object's get and put calls: one path drops or takes one too many.",),
        culprit=death.caller_of(("refcount_warn_saturate", "__warn", "report_bug")),
    )
