"""A driver or a module called panic() itself, for a reason of its own; it is named."""

from oopscope.triage.death import COMPLAINED, Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire where panic() was called over no oops, and its caller is on the stack; asked after the known kinds."""
    if death.panic_line is None or death.oops is not None or COMPLAINED.search(death.panic_message or ""):
        return None
    caller = death.caller_of(("panic", "vpanic", "nmi_panic"))
    if caller is None or caller.symbol is None:
        return None
    whose = f"module {caller.module}" if caller.module else "the kernel"
    return death.verdict(
        "software",
        "panic-called",
        f"panic() called by {caller.module or caller.symbol}",
        f"{caller.symbol} of {whose} called panic() itself, saying: {death.panic_message}.",
        "certain" if caller.module else "likely",
        [death.from_log(death.lines[death.panic_line]), death.from_frame(caller, "{frame} called panic()")],
        (
            f"Ask the vendor of {caller.module}: the reason is its own."
            if caller.module
            else "Read the caller's source.",
        ),
        culprit=caller,
    )
