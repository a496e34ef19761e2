"""A watchdog's timer or NMI brought the machine down. Follows drivers/watchdog and drivers/char/ipmi."""

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(
    r"An NMI occurred\. Depending on|.*hpwdt|.*watchdog_fire|.*[Ww]atchdog (?:[Tt]imer|pre-?timeout)|"
    r".*pretimeout event|"
    r"pre-timeout$|IPMI .*pre-?timeout"
)
HANDLERS = (
    "hpwdt_pretimeout",
    "watchdog_notify_pretimeout",
    "pretimeout_panic",
    "ipmi_nmi",
    "softdog_fire",
    "softdog_pretimeout",
)


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or a watchdog driver's handler as its caller."""
    frame = death.on_stack(*HANDLERS)
    if death.panic is None or (frame is None and not SAID.match(death.panic_message or "")):
        return None
    ipmi = death.on_stack("ipmi_nmi") is not None or (death.panic_message or "").strip() == "pre-timeout"
    evidence = [death.from_log(death.lines[death.panic.row])]
    if frame:
        evidence.append(death.from_frame(frame, "{frame} is the watchdog's handler"))
    if ipmi:
        story = "The IPMI watchdog's pre-timeout came by an NMI: nobody had fed the watchdog in time"
    elif death.on_stack("hpwdt_pretimeout"):
        story = "An NMI of iLO's watchdog, or of the button that makes one, stopped the machine"
    else:
        story = f"A watchdog stopped the machine: {(death.panic_message or '').rstrip('.')}"
    return death.verdict(
        "manual",
        "watchdog-timer",
        "Watchdog",
        f"{story}.",
        "certain" if frame else "likely",
        evidence,
        (
            "Look in the management controller's event log: a timeout, or somebody's NMI?",
            "If a timeout: what kept the watchdog's daemon from running?",
        ),
        culprit=frame,
    )
