"""A watchdog's timer or NMI brought the machine down. Follows drivers/watchdog/hpwdt.c and its kin."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"An NMI occurred\. Depending on|hpwdt|watchdog_fire|[Ww]atchdog (?:[Tt]imer|pre-?timeout)|pretimeout event"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or a watchdog driver's handler as its caller."""
    frame = death.on_stack("hpwdt_pretimeout", "watchdog_notify_pretimeout", "pretimeout_panic")
    if (frame is None and not re.search(SAID, death.panic_message or "")) or death.panic_line is None:
        return None
    return death.verdict(
        "manual",
        "watchdog-timer",
        "Watchdog",
        f"A watchdog stopped the machine: {death.panic_message}.",
        "certain",
        [death.from_log(death.lines[death.panic_line])],
        ("Look in the management controller's event log; and what kept the watchdog's daemon from running?",),
        culprit=frame,
    )
