"""A task slept where it must not: with a spinlock held, or in an interrupt. Follows kernel/sched/core.c."""

from oopscope.kernel.functions import first_not, is_allocator, is_dying, is_helper, is_waiting
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = (
    r"(?:BUG: )?scheduling while atomic: (?P<task>.*)|"
    r"BUG: sleeping function called from invalid context at (?P<place>\S+)"
)


def check(death: Death) -> Verdict | None:
    """Fire where panic() itself was called over it, or panic_on_warn follows it at once."""
    message = death.panic_message or ""
    if "scheduling while atomic" not in message and "panic_on_warn" not in message and not death.lived:
        return None
    said = death.said(SAID)
    if said is None:
        return None
    lock = "in an interrupt, or while it held a spinlock" if said[1]["place"] else "while it held a spinlock"
    return death.verdict(
        "software",
        "scheduling-while-atomic",
        "Slept where sleeping is forbidden",
        f"{death.who} slept {lock} or with preemption off ({said[1]['task'] or said[1]['place']}).",
        "certain",
        [death.from_log(said[0])],
        ("Find the lock in the callers; the call that sleeps must move out of it.",),
        culprit=first_not(death.sure, is_dying, is_waiting, is_helper, is_allocator),
    )
