"""An uncorrectable memory error, and edac_mc_panic_on_ue is set. Follows drivers/edac/edac_mc.c."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"^UE .*\bpage:0x|\bUE (?:row|memory)|EDAC.*\bUE\b"  # "UE <message> on <label> (<place> page:0x...)"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not re.search(SAID, death.panic_message or "") or death.panic_line is None:
        return None
    return death.verdict(
        "hardware",
        "edac-uncorrectable",
        "Uncorrectable memory error",
        f"A memory module reported an error that could not be corrected: {death.panic_message}.",
        "certain",
        [death.from_log(death.lines[death.panic_line])],
        ("Replace the memory module that the message names.",),
    )
