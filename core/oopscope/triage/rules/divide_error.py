"""A division by zero, or one whose result does not fit. Follows arch/x86/kernel/traps.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.wording import fault_of


def check(death: Death) -> Verdict | None:
    """Fire on the oops's own line."""
    said = death.in_oops(r"^(?:Oops: )?divide[ _]error: ") or fault_of(death, "divide")
    if said is None:
        return None
    return death.verdict(
        "software",
        "divide-error",
        "Division by zero",
        f"{death.where} divided by zero (or the result did not fit), {death.by}.",
        "certain",
        [death.from_log(said[0])],
        ("Find the divisor: which configuration or device reported zero?",),
    )
