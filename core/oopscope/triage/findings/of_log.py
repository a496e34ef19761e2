"""What the kinds of findings need of the log: reports besides the death, lines of the last boot, ages, evidence."""

from collections.abc import Iterator

from oopscope.klog.report import Report
from oopscope.klog.wordings import Kind
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source

MAX_EVIDENCE = 4


def age(death: Death, ns: int | None) -> float | None:
    """Return how long before the end something was, in seconds."""
    end = death.last_ns
    return round(max(end - ns, 0) / 1e9, 3) if end is not None and ns is not None else None


def besides(death: Death, *kinds: Kind) -> list[Report]:
    """Return the reports of some kinds of the boot that died, but those that are part of the death."""
    of_death = {id(report) for report in death.end.chain} if death.cause is not None else set()
    boot = death.boot
    return [r for r in death.log.reports if r.kind in kinds and r.boot == boot and id(r) not in of_death]


def first_row(death: Death) -> int:
    """Return the first line of the boot that died."""
    boots = death.log.boots
    return boots[death.boot - 1] if death.boot and death.boot <= len(boots) else 0


def marked(death: Death, *words: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of the kernel, of the boot that died, in which one of some words stands."""
    lines, foreign = death.log.lines, death.log.foreign
    for row in lines.holding(words, first_row(death)):
        if row not in foreign:
            yield row, lines.texts[row]


def by_rows(death: Death, rows: list[int]) -> tuple[Evidence, ...]:
    """Return lines as evidence: the first ones and the last, where there are many."""
    shown = rows if len(rows) <= MAX_EVIDENCE else [*rows[: MAX_EVIDENCE - 1], rows[-1]]
    return tuple(death.from_log(death.lines[row]) for row in shown)


def by_table(text: str, key: str) -> Evidence:
    """Return a row of a table as evidence."""
    return Evidence(text, Source("table", key))
