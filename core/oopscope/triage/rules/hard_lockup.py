"""A CPU ran with interrupts off for too long. Follows kernel/watchdog_perf.c and kernel/watchdog_buddy.c."""

from oopscope.kernel.frame import Frame
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.wordings import SYMBOL
from oopscope.stacks.standing import interrupted_in
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"(?:NMI )?(?:watchdog: )?(?:CPU\d+: )?Watchdog detected hard LOCKUP on cpu (\d{1,18})|"
    r"(?:NMI )?[Ww]atchdog:? CPU:? ?(\d{1,18}).*?LOCKUP|NMI watchdog: .*LOCKUP"
)

NAMED = lazy_re(rf" @ {SYMBOL}")  # powerpc says where in the line itself


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not death.hung("hard-lockup", r"[Hh]ard LOCKUP"):
        return None
    said = death.said(SAID)
    evidence = [death.from_log(said[0])] if said else []
    named = NAMED.search(said[0].text) if said else None
    stuck = next((int(n) for n in said[1].groups() if n), None) if said else None
    if stuck is None or stuck == death.panicked_on:
        alone = (
            death.cause.pc if death.only_log and death.cause is not None and death.cause.kind == "hard-lockup" else None
        )
        frame, place = death.blame_stuck(death.interrupted or (death.frames[0] if alone and death.frames else None))
        who = death.whom
    else:  # another CPU noticed (the buddy's detector)
        frames = death.frames_on(stuck)
        frame, place = death.blame_stuck(interrupted_in(frames) or death.beyond_locks(frames), frames)
        if frame is None and named is not None:
            told = Frame(0, named["name"], int(named["at"], 16), named["module"], "task", True)
            frame, place = death.blame_stuck(told, (told,))
        place = place if frame else "an unknown place: its stack is not there"
        who = (stuck, *death.task_on(stuck))
    cpu = f"CPU {stuck}" if stuck is not None else "A CPU"
    return death.verdict(
        "hang",
        "hard-lockup",
        "Hard lockup",
        f"{cpu} ran with interrupts off for too long, in {place}.",
        "certain",
        evidence,
        ("Find the lock or the device that the code waits for with interrupts off.",),
        culprit=frame,
        blame=False,
        whom=who,
    )
