"""Words of a death that a program wrote to the log: they are no evidence, and it is good to know of them."""

from collections.abc import Iterator

from oopscope.klog.wordings import heading_of
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.triage.findings.of_log import age, by_rows, first_row

GRAVE = ("panic", "oops", "soft-lockup", "hard-lockup", "memory-error")
WORDS = ("Kernel panic", "kernel BUG at", "Oops: ", "soft lockup")


def find(death: Death) -> Iterator[Finding]:
    """Yield one finding for all such lines."""
    texts, first = death.log.lines.texts, first_row(death)
    rows = [row for row in sorted(death.log.foreign) if row >= first and _is_grave(texts[row])]
    if rows:
        text = f"a program, not the kernel, wrote to the log: {texts[rows[0]].strip()[:200].rstrip('.')}"
        yield Finding("program-wrote-to-log", "note", text, age(death, death.log.ns(rows[0])), by_rows(death, rows))


def _is_grave(text: str) -> bool:
    found = heading_of(text)
    return (found is not None and found.kind in GRAVE) or any(word in text for word in WORDS)
