"""An I/O check NMI (SERR#, IOCHK#): a device or bus reported a fatal error. Follows arch/x86/kernel/nmi.c.

A watchdog's driver that listens to NMIs may be the one that panics: where the handler of I/O checks called it, it only
relays.
"""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"NMI: IOCK error"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, or where the handler of I/O checks stands on the stack of a panic in an NMI."""
    handler = death.on_stack("io_check_error")
    if death.panic is None or ("NMI IOCK error" not in (death.panic_message or "") and handler is None):
        return None
    evidence = [death.from_log(death.lines[death.panic.row])]
    said = death.lately(SAID)
    if said:
        evidence.insert(0, death.from_log(said[0]))
    if handler:
        evidence.append(death.from_frame(handler, "{frame} handles I/O checks"))
    relayed = death.on_stack("hpwdt_pretimeout")
    how = f"{relayed} only passed it on" if relayed else "panic_on_io_nmi is set"
    return death.verdict(
        "hardware",
        "nmi-io-check",
        "I/O check NMI",
        f"The hardware reported a fatal I/O error by an NMI (I/O check: a PCI or bus error); {how}.",
        "certain" if handler and said else "likely",
        evidence,
        ("Look in the management controller's event log for the device, its slot or bus.",),
        blame=False,
        culprit=death.interrupted,
    )
