"""Bugs of the firmware that the kernel found and worked around."""

from collections.abc import Iterator

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.triage.findings.of_log import age, by_rows, marked

WORDS = ("[Firmware Bug]", "[Firmware Warn]", "ACPI BIOS Error", "ACPI BIOS Warning", "ACPI Error:", "BIOS bug")
SAID = lazy_re(
    r".*?(?:\[Firmware (?:Bug|Warn)\]:? ?|ACPI (?:BIOS )?(?:Error|Warning)(?: \(bug\))?: ?|BIOS bug: ?)(?P<text>.*)"
)


def find(death: Death) -> Iterator[Finding]:
    """Yield one finding for all of them."""
    own = {row for report in death.end.chain for row in report.rows}
    rows = [row for row, _text in marked(death, *WORDS) if row not in own]
    if not rows:
        return
    found = SAID.match(death.lines[rows[0]].text)
    said = (found["text"] if found else death.lines[rows[0]].text).strip().rstrip(".")[:200]
    more = f", and {len(rows) - 1} more" if len(rows) > 1 else ""
    yield Finding(
        "firmware-bug",
        "note",
        f"the firmware has bugs: {said}{more}",
        age(death, death.log.ns(rows[0])),
        by_rows(death, rows),
    )
