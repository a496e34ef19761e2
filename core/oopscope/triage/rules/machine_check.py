"""A machine check: the processor found a hardware error. Follows arch/x86/kernel/cpu/mce/core.c."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = r"[Mm]achine check|entered broadcast exception handler"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not re.search(SAID, death.panic_message or "") or death.panic_line is None:
        return None
    evidence = [death.from_log(death.lines[death.panic_line])]
    bank = death.lately(r"mce: \[Hardware Error\]: CPU (\d+): Machine Check.*Bank (\d+): ([0-9a-f]+)")
    if bank:
        evidence.append(death.from_log(bank[0]))
    where = f" (CPU {bank[1][1]}, bank {bank[1][2]}, status {bank[1][3]})" if bank else ""
    return death.verdict(
        "hardware",
        "machine-check",
        "Machine check",
        f"The processor reported a hardware error that it could not correct{where}.",
        "certain",
        evidence,
        ("Decode the bank's status with rasdaemon or mcelog; look in the management controller's event log.",),
    )
