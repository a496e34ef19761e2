"""A memory parity or PCI system error NMI. Follows arch/x86/kernel/nmi.c (pci_serr_error)."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"NMI: PCI system error|Memory parity error|NMI: .*SERR"


def check(death: Death) -> Verdict | None:
    """Fire on the NMI handler's words as panic()'s reason, or just before `NMI: Not continuing`."""
    message = death.panic_message or ""
    said = death.lately(SAID) if "NMI" in message else None
    if (said is None and not re.search(SAID, message)) or death.panic_line is None:
        return None
    line = said[0] if said else death.lines[death.panic_line]
    return death.verdict(
        "hardware",
        "nmi-memory-error",
        "Memory or PCI error NMI",
        f"The hardware reported a fatal error by an NMI: {line.text.strip()}.",
        "likely",
        [death.from_log(line)],
        ("Look in the management controller's event log: memory module or PCI slot.",),
    )
