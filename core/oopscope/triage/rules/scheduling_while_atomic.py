"""A task slept where it must not: with a spinlock held, or in an interrupt. Follows kernel/sched/core.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire where panic() itself was called over it, or panic_on_warn follows it at once."""
    message = death.panic_message or ""
    if "scheduling while atomic" not in message and "panic_on_warn" not in message:
        return None
    said = death.said(r"(?:BUG: )?scheduling while atomic: (.*)")
    if said is None:
        return None
    return death.verdict(
        "software",
        "scheduling-while-atomic",
        "Slept where sleeping is forbidden",
        f"{death.who} slept while it held a spinlock or with preemption off ({said[1][1]}).",
        "certain",
        [death.from_log(said[0])],
        ("Find the lock in the callers; the call that sleeps must move out of it.",),
        culprit=death.caller_of(("__schedule_bug", "__schedule", "schedule", "schedule_timeout")),
    )
