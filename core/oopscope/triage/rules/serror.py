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
    r"Internal error: synchronous external abort|Unhandled fault: .*external abort|"
    r"Internal error: : (?P<fsr>[0-9a-f]{1,8}) \[#"  # arm, of what it cannot handle; the line before says what
)


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or on the abort as the fatal oops."""
    of_panic = re.search(r"SError|external abort", death.panic_message or "")
    said = death.said(SAID) or death.lately(SAID)
    if said is not None and said[1]["fsr"] is not None and not _external(int(said[1]["fsr"], 16)):
        return None
    ended = death.lived and death.cause is not None and death.cause.kind == "serror"
    if not of_panic and not ended and (said is None or death.oops is None or not death.in_oops(SAID)):
        return None
    behind = None
    for frame, following in zip(death.frames, death.frames[1:], strict=False):
        if entry_kind(frame.symbol) == "exception" and entry_kind(following.symbol) != "exception":
            behind = following
            break
    culprit = behind or (death.culprit if death.oops or ended else None)
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


def _external(fsr: int) -> bool:
    """Tell whether an arm fault status is an external abort, of short or long descriptors. arch/arm/mm/fsr-*.c."""
    if fsr & 1 << 9:
        return fsr & 0x3F in (0x10, 0x11, 0x14, 0x15, 0x16, 0x17)
    return (fsr & 0xF) | (fsr >> 6 & 0x10) in (0x08, 0x0A, 0x0C, 0x0E, 0x16)
