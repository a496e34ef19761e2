"""Somebody asked for the crash: SysRq-c, or `echo c > /proc/sysrq-trigger`. Follows drivers/tty/sysrq.c."""

import re

from oopscope.triage.death import Death
from oopscope.triage.faults import AT_ONCE_NS, null_pointer
from oopscope.triage.finding import Verdict

ASKED = r"sysrq: .*Trigger a crash|SysRq : Trigger a crash"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or (before 5.0) the handler of SysRq-c as what faulted."""
    handler = death.on_stack("sysrq_handle_crash")
    if handler is None and not re.match(r"sysrq triggered crash", death.panic_message or "") and not _made(death):
        return None
    evidence = []
    said = death.lately(ASKED)
    if said:
        evidence.append(death.from_log(said[0]))
    if handler:
        evidence.append(death.from_frame(handler, "{frame} is the handler of SysRq-c"))
    summary = f"{death.who} crashed the machine on purpose, by SysRq-c."
    if death.on_stack("write_sysrq_trigger") is not None:
        summary = f"{death.who} crashed the machine on purpose, by writing to /proc/sysrq-trigger."
    elif handler and handler.kind in ("irq", "softirq"):  # whatever ran then has no part in it
        summary = (
            f"Somebody crashed the machine on purpose, by SysRq-c from a keyboard or console, while {death.who} ran."
        )
    return death.verdict(
        "manual",
        "sysrq-crash",
        "Crash on request (SysRq-c)",
        summary,
        "certain" if handler or death.whom[2] is not None else "possible",  # who asked tells crashes from fencing
        evidence,
        ("Ask who did it, and why: usually to get this dump of a machine that hung or misbehaved.",),
        culprit=handler,
    )


def _made(death: Death) -> bool:
    """Tell whether a NULL pointer's oops that does not say where it stood follows the request at once (before 5.0)."""
    oops = death.oops
    bare = death.only_log and oops is not None and not oops.frames and null_pointer(death) is not None
    return bare and death.lately(ASKED, AT_ONCE_NS) is not None
