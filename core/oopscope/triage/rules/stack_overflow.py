"""A kernel stack overflowed into its guard page, or the end-of-stack marker was overwritten.

Follows arch/x86/kernel/traps.c (handle_stack_overflow) and kernel/sched/core.c (schedule_debug).
"""

from collections import Counter

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import is_dying, is_helper
from oopscope.triage.death import Death
from oopscope.triage.finding import Confidence, Evidence, Verdict

GUARD = r"BUG: (?:\w+ )?stack guard page was hit|[Kk]ernel stack overflow|Insufficient stack space"
RECURSION = 2  # a function that stands more often on one stack calls itself without end
CORRUPTED = r"corrupted stack end detected"


def check(death: Death) -> Verdict | None:
    """Fire on the guard page's own message, or on panic() over a stack's overwritten end."""
    said = death.in_oops(GUARD)
    if said is not None:
        return _overflow(death, death.from_log(said[0]))
    if death.panic_line is not None and CORRUPTED in (death.panic_message or ""):
        return _overwritten_end(death, death.from_log(death.lines[death.panic_line]))
    return None


def _overflow(death: Death, line: Evidence) -> Verdict:
    frame, evidence, recursion = death.culprit, [line], ""
    names = Counter(f.symbol for f in death.frames if f.symbol and not is_helper(f.symbol) and not is_dying(f.symbol))
    name, times = names.most_common(1)[0] if names else (None, 0)
    if times > RECURSION:
        frame = next(f for f in death.frames if f.symbol == name)
        evidence.append(death.from_frame(frame, f"{name} stands {times} times on the stack: it calls itself"))
        recursion = f": {name} calls itself without end"
    return _verdict(death, f"{death.who} ran out of kernel stack{recursion}.", "certain", evidence, frame)


def _overwritten_end(death: Death, line: Evidence) -> Verdict:
    """The scheduler looks at the marker when a task gives the CPU up: what was called since may be gone."""
    frame = death.beyond_locks(death.frames[death.frames.index(death.culprit) :]) if death.culprit else None
    place = f", noticed when {frame} gave the CPU up" if frame else ""
    said = f"The end of the kernel stack of {death.who} was overwritten{place}: it ran out, or something wrote over it."
    return _verdict(death, said, "likely", [line], frame or death.culprit)


def _verdict(death: Death, said: str, sure: Confidence, evidence: list[Evidence], frame: Frame | None) -> Verdict:
    return death.verdict(
        "software",
        "stack-overflow",
        "Kernel stack overflow",
        said,
        sure,
        evidence,
        ("See which function recurs, and what should have ended it.", "Look for large local variables on the stack."),
        culprit=frame,
    )
