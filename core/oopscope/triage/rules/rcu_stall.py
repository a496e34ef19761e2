"""A CPU or a task held up RCU's grace period, and panic_on_rcu_stall is set. Follows kernel/rcu/tree_stall.h."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if (death.panic_message or "").strip() != "RCU Stall":
        return None
    said = death.find(r"rcu: INFO: (\S+) (?:self-)?detected", death.panic_line, 300)
    evidence = [death.from_log(said[0])] if said else []
    frame = death.interrupted
    place = str(frame) if frame else death.where
    return death.verdict(
        "hang",
        "rcu-stall",
        "RCU stall",
        f"RCU waited too long for a CPU that did not come to rest: {place}, and panic_on_rcu_stall is set.",
        "certain",
        evidence,
        (
            "See what the stalled CPU runs: a loop without a reschedule, or interrupts off.",
            "Compare with the other CPUs' stacks.",
        ),
        culprit=frame,
    )
