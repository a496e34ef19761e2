"""What the hardware reported and the machine survived: machine checks, corrected errors of memory and PCIe, heat."""

import re
from collections.abc import Iterator

from oopscope.triage.death import Death
from oopscope.triage.finding import Finding, Severity
from oopscope.triage.findings.of_log import age, by_rows, marked

# The id, how grave, in words; by what the line says.
KINDS: tuple[tuple[str, str, Severity, str], ...] = (
    (r"EDAC .*\bUE\b", "memory-error", "error", "memory reported errors that could not be corrected"),
    (r"EDAC .*\bCE\b", "memory-error-corrected", "warning", "memory reported errors that were corrected"),
    (r".*PCIe Bus Error: severity=Uncorrect", "pcie-error", "error", "PCIe reported errors that were not corrected"),
    (
        r".*(?:PCIe Bus Error: severity=Corrected|AER: .*[Cc]orrected error)",
        "pcie-error-corrected",
        "warning",
        "PCIe reported errors that were corrected",
    ),
    (
        r".*(?:temperature (?:is )?above threshold|[Cc]ore temperature .*throttled)",
        "heat",
        "warning",
        "a CPU was too hot and was slowed down",
    ),
    (r"(?:mce: )?(?:\{\d+\})?\[Hardware Error\]", "machine-check-survived", "error", "the hardware reported errors"),
    (r".*NMI received for unknown reason", "unknown-nmi", "warning", "an NMI came that nobody claimed"),
)
WORDS = ("EDAC ", "PCIe Bus Error", "AER: ", "temperature", "[Hardware Error]", "NMI received")


def find(death: Death) -> Iterator[Finding]:
    """Yield one finding for each kind of report that is no part of the death."""
    own = {row for report in death.end.chain for row in report.rows}
    groups: dict[int, list[int]] = {}
    for row, text in marked(death, *WORDS):
        at = next((i for i, (pattern, *_rest) in enumerate(KINDS) if re.match(pattern, text)), None)
        if at is not None and row not in own:
            groups.setdefault(at, []).append(row)
    for at, rows in groups.items():
        _pattern, slug, severity, words = KINDS[at]
        said = death.lines[rows[0]].text.strip()[:200].rstrip(".")
        yield Finding(slug, severity, f"{words}: {said}", age(death, death.log.ns(rows[0])), by_rows(death, rows))
