"""A worker pool made no progress for too long, and that is set to be fatal. Follows kernel/workqueue.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"BUG: workqueue lockup - pool (?P<pool>.*?) stuck for (?P<seconds>\d+)s"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words (workqueue.panic_on_stall)."""
    if not death.hung("workqueue-lockup", r"workqueue lockup|workqueue.*stall"):
        return None
    said = death.said(SAID) or death.lately(SAID)
    evidence = [death.from_log(said[0])] if said else []
    if death.panic is not None:
        evidence.append(death.from_log(death.lines[death.panic.row]))
    which = f" of pool {said[1]['pool']} for {said[1]['seconds']} s" if said else ""
    return death.verdict(
        "hang",
        "workqueue-lockup",
        "Workqueue lockup",
        f"No work{which} made progress{death.fatal_by('workqueue.panic_on_stall')}.",
        "certain" if said else "likely",
        evidence,
        ("See what the pool's workers run (workqueues), and what they wait for.",),
        blame=False,
    )
