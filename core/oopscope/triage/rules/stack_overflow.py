"""A kernel stack overflowed into its guard page, or the end-of-stack marker was overwritten.

Follows arch/x86/kernel/traps.c (handle_stack_overflow) and kernel/sched/core.c (schedule_debug).
"""

from collections import Counter

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

GUARD = r"BUG: (?:\w+ )?stack guard page was hit|kernel stack overflow|Insufficient stack space"
CORRUPTED = r"corrupted stack end detected"


def check(death: Death) -> Verdict | None:
    """Fire on the guard page's own message, or on panic() over a stack's overwritten end."""
    said = death.in_oops(GUARD)
    line = said[0] if said else None
    if line is None and death.panic_line is not None and CORRUPTED in (death.panic_message or ""):
        line = death.lines[death.panic_line]
    if line is None:
        return None
    names = Counter(f.symbol for f in death.frames if f.symbol)
    name, times = names.most_common(1)[0] if names else (None, 0)
    frame = next((f for f in death.frames if f.symbol == name), None) if times > 2 else death.culprit
    evidence = [death.from_log(line)]
    if frame is not None and times > 2:
        evidence.append(death.from_frame(frame, f"{name} stands {times} times on the stack: it calls itself"))
    recursion = f": {name} calls itself without end" if times > 2 else ""
    return death.verdict(
        "software",
        "stack-overflow",
        "Kernel stack overflow",
        f"{death.who} ran out of kernel stack{recursion}.",
        "certain",
        evidence,
        ("See which function recurs, and what should have ended it.", "Look for large local variables on the stack."),
        culprit=frame,
    )
