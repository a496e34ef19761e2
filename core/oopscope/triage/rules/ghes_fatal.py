"""The firmware reported a fatal hardware error (APEI/GHES). Follows drivers/acpi/apei/ghes.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if "Fatal hardware error" not in (death.panic_message or "") or death.panic_line is None:
        return None
    evidence = [death.from_log(death.lines[death.panic_line])]
    source = death.lately(r".*\[Hardware Error\]:.*(section_type|severity).*")
    section = death.lately(r".*\[Hardware Error\]:.*section_type.*")
    if source:
        evidence.append(death.from_log(source[0]))
    return death.verdict(
        "hardware",
        "ghes-fatal",
        "Fatal hardware error, reported by the firmware",
        "The firmware told the kernel of a fatal hardware error (APEI generic hardware error source).",
        "certain" if section else "likely",  # without its section it may be any device's: a log that lost its head
        evidence,
        ("Read the [Hardware Error] lines above the panic, and the management controller's event log.",),
    )
