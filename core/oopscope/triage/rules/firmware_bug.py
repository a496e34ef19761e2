"""The kernel gave up over what the firmware told it."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"\[Firmware Bug\]|BIOS has|ACPI: .*(?:BIOS|table)|IO-APIC \+ timer doesn't work|Bad (?:DMI|ACPI)"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    message = death.panic_message or ""
    if not re.search(SAID, message) or death.panic_line is None:
        return None
    return death.verdict(
        "firmware",
        "firmware-bug",
        "Firmware error",
        f"The kernel could not go on with what the firmware told it: {message.rstrip('.')}.",
        "likely",
        [death.from_log(death.lines[death.panic_line])],
        ("Update the firmware, or see which kernel parameter works around it.",),
    )
