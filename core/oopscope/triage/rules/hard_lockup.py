"""A CPU ran with interrupts off for too long. Follows kernel/watchdog_perf.c and kernel/watchdog_buddy.c."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not re.search(r"[Hh]ard LOCKUP", death.panic_message or ""):
        return None
    said = death.said(r".*Watchdog detected hard LOCKUP on cpu (\d+)|NMI watchdog: .*LOCKUP")
    evidence = [death.from_log(said[0])] if said else []
    frame, place = death.blame_stuck(death.interrupted)
    cpu = f"CPU {said[1][1]}" if said and said[1][1] else "A CPU"
    return death.verdict(
        "hang",
        "hard-lockup",
        "Hard lockup",
        f"{cpu} ran with interrupts off for too long, in {place}.",
        "certain",
        evidence,
        ("Find the lock or the device that the code waits for with interrupts off.",),
        culprit=frame,
    )
