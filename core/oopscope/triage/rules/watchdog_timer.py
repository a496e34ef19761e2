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
# What hands an NMI to the drivers: where none stands behind the handler, it may have been sent by what is not seen.
NMI_HANDLERS = ("hpwdt_pretimeout", "ipmi_nmi")
UNCLAIMED = ("unknown_nmi_error",)  # hpwdt takes I/O checks and SERR# too, whose handlers stand there otherwise
SENDERS = ("default_do_nmi", "unknown_nmi_error", "do_nmi", "exc_nmi", "pci_serr_error", "mem_parity_error")


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
    relayed = death.on_stack(*NMI_HANDLERS) is not None
    senders = UNCLAIMED if death.on_stack("hpwdt_pretimeout") else SENDERS
    sure = frame is not None and (not relayed or death.on_stack(*senders) is not None)
    unsaid = frame is None and (death.panic_message or "").startswith("An NMI occurred")  # any NMI brings these words
    return death.verdict(
        "manual",
        "watchdog-timer",
        "Watchdog",
        f"{story}.",
        "certain" if sure else "possible" if unsaid else "likely",
        evidence,
        (
            "Look in the management controller's event log: a timeout, or somebody's NMI?",
            "If a timeout: what kept the watchdog's daemon from running?",
        ),
        culprit=frame,
    )
