"""An asynchronous external abort: a bus or memory reported an error that no instruction can be blamed for.

Follows arch/arm64/kernel/traps.c (do_serror, arm64_serror_panic) and arch/arm64/mm/fault.c (do_sea).
"""

import re

from oopscope.kernel.functions import entry_kind
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"SError Interrupt on CPU(?P<cpu>\d+), code (?P<code>0x[0-9a-f]+)|"
    r"Internal error: synchronous external abort|Unhandled fault: .*external abort"
)


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or on the abort as the fatal oops."""
    of_panic = re.search(r"SError|external abort", death.panic_message or "")
    said = death.said(SAID) or death.lately(SAID)
    if not of_panic and (said is None or death.oops is None or not death.in_oops(SAID)):
        return None
    behind = None
    for frame, following in zip(death.frames, death.frames[1:], strict=False):
        if entry_kind(frame.symbol) == "exception" and entry_kind(following.symbol) != "exception":
            behind = following
            break
    culprit = behind or (death.culprit if death.oops else None)
    evidence = [death.from_log(said[0])] if said else []
    if death.panic is not None:
        evidence.append(death.from_log(death.lines[death.panic.row]))
    where = f"while {death.who} ran {culprit}" if culprit else f"while {death.who} ran"
    return death.verdict(
        "hardware",
        "serror",
        "SError: a bus or memory error",
        f"The hardware reported a bus, device or memory error {where}; perhaps of an access before.",
        "certain" if said and death.frames else "likely",
        evidence,
        (
            "An access to a device that is off, unclocked or absent ends so: what did the code touch just before?",
            "Else look at the platform's RAS records: memory or interconnect.",
        ),
        culprit=culprit,
        blame=False,
    )
