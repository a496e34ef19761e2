"""An I/O check NMI: a device reported a fatal error. Follows arch/x86/kernel/nmi.c (io_check_error)."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if "NMI IOCK error" not in (death.panic_message or "") or death.panic_line is None:
        return None
    return death.verdict(
        "hardware",
        "nmi-io-check",
        "I/O check NMI",
        "The hardware reported an I/O error by an NMI, and panic_on_io_nmi is set.",
        "likely",
        [death.from_log(death.lines[death.panic_line])],
        ("Look in the management controller's event log for the device.",),
    )
