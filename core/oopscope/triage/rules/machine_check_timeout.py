"""CPUs did not answer the broadcast of a machine check: no proof of broken hardware. arch/x86/kernel/cpu/mce/core.c."""

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(r"Timeout: Not all CPUs entered|Timeout synchronizing machine check|Some CPUs didn't answer")
BANK = (
    r"(?:mce: )?\[Hardware Error\]: CPU \d+: Machine Check.*Bank|(?:mce: )?\[Hardware Error\]: .*Bank \d+: [0-9a-f]{16}"
)
SILENT = r"(?:mce: )?(?:\[Hardware Error\]: )?CPUs not responding to MCE broadcast.*"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words, where no bank told of an error."""
    if death.panic is None or not SAID.match(death.panic_message or "") or death.lately(BANK):
        return None
    evidence = [death.from_log(death.lines[death.panic.row])]
    silent = death.lately(SILENT)
    if silent:
        evidence.insert(0, death.from_log(silent[0]))
    which = f": {silent[0].text.split(': ')[-1].strip()}" if silent else ""
    return death.verdict(
        "hardware",
        "machine-check-timeout",
        "CPUs did not answer a machine check",
        f"A machine check was broadcast, and not all CPUs came{which}; no bank names an error, so none is proven.",
        "likely",
        evidence,
        (
            "Did those CPUs hang with interrupts off, or sleep too deep? Compare with another kernel release.",
            "The management controller's event log tells whether the hardware saw an error.",
        ),
        blame=False,
    )
