"""A value that nobody had set decided something: KMSAN's words. Follows mm/kmsan/report.c."""

from oopscope.triage.checkers import found
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on KMSAN's report, where it was fatal."""
    seen = found(death)
    if seen is None or seen.tool != "KMSAN":
        return None
    return death.verdict(
        "software",
        "uninitialized-memory",
        "Uninitialized memory used",
        f"{seen.culprit or death.where} used memory that nobody had set ({seen.what}), {death.by}.",
        "certain",
        [death.from_log(seen.line)],
        ("The report says where the memory came from (`Uninit was created at`): who should have set it?",),
        culprit=seen.culprit,
    )
