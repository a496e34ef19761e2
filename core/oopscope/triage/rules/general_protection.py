"""A general protection fault: mostly a pointer that cannot be one (non-canonical). Follows arch/x86/kernel/traps.c."""

from oopscope.triage.death import Death
from oopscope.triage.faults import bad_call
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on the oops's own line."""
    said = death.in_oops(
        r"^(?:Oops: )?(?:segment-related )?"
        r"general protection fault(?:, (?:probably|maybe) for (?:non-canonical )?address (0x[0-9a-f]+))?"
    )
    if said is None:
        return None
    address, called = said[1][1], bad_call(death)
    used = f" used the pointer {address}, which cannot be an address" if address else " did what the processor forbids"
    if called:
        used = f" called a function through a wild pointer{f', {address}' if address else ''}"
    return death.verdict(
        "software",
        "general-protection-fault",
        "General protection fault",
        f"{called or death.where}{used}, {death.by}.",
        "certain",
        [death.from_log(said[0])],
        (
            "Does the value look like text, a poison pattern or a shifted pointer? That tells who wrote it.",
            "Look at the object from which the pointer was loaded.",
        ),
        culprit=called,
    )
