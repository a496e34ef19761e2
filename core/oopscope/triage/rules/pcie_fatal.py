"""A fatal error of PCI Express, told by AER or by the firmware. Follows drivers/pci/pcie/aer.c, drivers/acpi/apei."""

import re

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

AER = r".*PCIe Bus Error: severity=(?:Uncorrected|Uncorrectable) \(Fatal\).*|.*severity: fatal.*PCIe"
SECTION = r".*\[Hardware Error\]:\s+section_type: PCIe error"
DEVICE = lazy_re(
    r".*\[Hardware Error\]:\s+device_id: (?P<domain>[0-9a-f]{4}):(?P<bus>[0-9a-f]{2}):(?P<rest>[0-9a-f]{2}\.\d)"
)
BRIDGE = lazy_re(r".*\[Hardware Error\]:\s+port_type: \d+, (?P<type>.*)")
SECONDARY = lazy_re(
    r".*\[Hardware Error\]:\s+(?:bridge: )?secondary[_ ](?:bus|status)?:? ?(?:0x)?(?P<bus>[0-9a-f]{2})\b"
)


def check(death: Death) -> Verdict | None:
    """Fire where panic() was called over hardware, and AER or the firmware named a fatal error of PCI Express."""
    if not re.search(r"AER|PCIe|[Hh]ardware error", death.panic_message or ""):
        return None
    said = death.lately(AER) or death.lately(SECTION)
    if said is None:
        return None
    evidence = [death.from_log(said[0])]
    device, port = death.lately(DEVICE), death.lately(BRIDGE)
    named = said[0].text.strip()
    steps = ["Find the device in the message; check its slot, firmware and driver."]
    if device:
        evidence.append(death.from_log(device[0]))
        d = device[1]
        named = f"device {d['domain']}:{d['bus']}:{d['rest']}"
        if port and ("root port" in port[1]["type"] or "downstream" in port[1]["type"]):
            evidence.append(death.from_log(port[0]))
            secondary = death.lately(SECONDARY)
            bus = secondary[1]["bus"] if secondary else f"{int(d['bus'], 16) + 1 & 0xFF:02x}"
            sure = "" if secondary else "mostly "
            named += f", a {port[1]['type'].strip()}"
            steps.insert(
                0, f"The port reports for what is plugged into it: {sure}{d['domain']}:{bus}:00.0 (lspci -t shows it)."
            )
    return death.verdict(
        "hardware",
        "pcie-fatal",
        "Fatal PCI Express error",
        f"A PCI Express device reported a fatal error: {named}.",
        "certain",
        evidence,
        steps,
        blame=False,
    )
