"""A fatal PCI Express error. Follows drivers/pci/pcie/aer.c."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire where panic() was called over hardware and AER named a fatal error just before."""
    if not re.search(r"AER|PCIe|[Hh]ardware error", death.panic_message or ""):
        return None
    said = death.lately(r".*PCIe Bus Error: severity=(?:Uncorrected|Uncorrectable) \(Fatal\).*|.*severity: fatal.*PCIe")
    if said is None:
        return None
    return death.verdict(
        "hardware",
        "pcie-fatal",
        "Fatal PCI Express error",
        f"A PCI Express device reported a fatal error: {said[0].text.strip()}.",
        "certain",
        [death.from_log(said[0])],
        ("Find the device in the message; check its slot, firmware and driver.",),
    )
