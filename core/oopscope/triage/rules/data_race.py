"""Two accesses without a lock, one of them a write: KCSAN's words. Follows kernel/kcsan/report.c."""

from oopscope.triage.checkers import found
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on KCSAN's report, where it was fatal."""
    seen = found(death)
    if seen is None or seen.tool != "KCSAN":
        return None
    return death.verdict(
        "software",
        "data-race",
        "Data race",
        f"{seen.culprit or death.where} used memory while another wrote it, without a lock ({seen.what}).",
        "certain",
        [death.from_log(seen.line)],
        ("The report has both stacks: which lock should both hold, or which access be marked?",),
        culprit=seen.culprit,
    )
