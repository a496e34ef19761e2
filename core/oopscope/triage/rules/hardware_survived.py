"""What the hardware reported as uncorrected in a log that tells of no death: the machine may have lived, or been reset.

Follows arch/x86/kernel/cpu/mce/core.c and nmi.c, drivers/edac, drivers/pci/pcie/aer.c and mm/memory-failure.c.
"""

import re
from typing import NamedTuple

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.triage.findings.of_log import by_rows, marked
from oopscope.triage.mce_status import BANK, UC

WORDS = ("[Hardware Error]", "hardware memory error", "Memory failure: 0x", "EDAC ", "severity=Uncorrect", "NMI: ")
SLOT = "Look in the management controller's event log: memory module, processor, slot or bus."


class Kind(NamedTuple):
    """What a line says of the hardware."""

    pattern: re.Pattern[str]
    cause: str
    title: str


KINDS = (
    Kind(
        lazy_re(r"(?:mce: )?\[Hardware Error\]: (?:CPU.*_STATUS\[[^\]]*\bUE\b|System Fatal error|Uncorrected)"),
        "machine-check",
        "Machine check",
    ),
    Kind(lazy_re(r"EDAC .*\bUE\b"), "edac-uncorrectable", "Uncorrectable memory error"),
    Kind(
        lazy_re(r"(?:mce: |MCE )?Uncorrected hardware memory error|Memory failure: 0x[0-9a-f]+: .*(?:corrupt|recover)"),
        "machine-check",
        "Uncorrectable memory error",
    ),
    Kind(lazy_re(r".*PCIe Bus Error: severity=Uncorrect\w+ \(Fatal\)"), "pcie-fatal", "Fatal PCIe error"),
    Kind(lazy_re(r"NMI: (?:PCI system error|Memory parity error)"), "nmi-memory-error", "Memory or PCI error NMI"),
    Kind(lazy_re(r"NMI: IOCK error"), "nmi-io-check", "I/O check NMI"),
)


def check(death: Death) -> Verdict | None:
    """Fire on a log alone that ends with nothing else, the processor's own report before all others."""
    if not death.only_log or death.cause is not None:
        return None
    groups: dict[Kind, list[int]] = {}
    for row, text in marked(death, *WORDS):
        kind = _kind(text)
        if kind is not None:
            groups.setdefault(kind, []).append(row)
    first = min(groups, key=KINDS.index, default=None)
    if first is None:
        return None
    said = death.lines[groups[first][0]].text.strip()[:200].rstrip(".")
    return death.verdict(
        "hardware",
        first.cause,
        first.title,
        f"The log tells of no death; it tells of this: the hardware reported an error that it did not correct: {said}.",
        "possible",
        [piece for rows in groups.values() for piece in by_rows(death, rows)[:2]],
        (SLOT, "Where this stands at a boot's beginning, it may tell why the machine was reset before it."),
        blame=False,
    )


def _kind(text: str) -> Kind | None:
    bank = BANK.match(text)
    if bank is not None:
        status = int(bank["status"] or bank["status2"], 16)
        return KINDS[0] if status >> UC & 1 else None
    return next((kind for kind in KINDS if kind.pattern.match(text)), None)
