"""An NMI for a memory parity or PCI system error. Follows arch/x86/kernel/nmi.c."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"NMI: PCI system error|Memory parity error|NMI: .*SERR"


def check(death: Death) -> Verdict | None:
    """Fire on the NMI handler's words as panic()'s reason or just before it, or on its handler's frame."""
    message = death.panic_message or ""
    handler = death.on_stack("pci_serr_error", "mem_parity_error")
    said = death.lately(SAID) if "NMI" in message else None
    if death.panic is None or (said is None and handler is None and not re.search(SAID, message)):
        return None
    line = said[0] if said else death.lines[death.panic.row]
    evidence = [death.from_log(line)]
    if handler:
        evidence.append(death.from_frame(handler, "{frame} handles such NMIs"))
    return death.verdict(
        "hardware",
        "nmi-memory-error",
        "Memory or PCI error NMI",
        f"The hardware reported a fatal error by an NMI: {line.text.strip()}.",
        "likely",
        evidence,
        ("Look in the management controller's event log: memory module or PCI slot.",),
        blame=False,
        culprit=death.interrupted,
    )
