"""Trouble with clocks: an unstable TSC, a clock source that was given up, interrupts of timers that took too long."""

from collections.abc import Iterator

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.triage.findings.of_log import age, by_rows, marked

SLOW = "hrtimer: interrupt took"  # the CPU did not run for so long, as in a guest whose host was busy
WORDS = ("clocksource", "TSC", "tsc", SLOW)
SAID = lazy_re(
    r"clocksource: .*(?:unstable|skewed|wd-tsc-wd|[Rr]ead-back delay)|"
    r"(?:tsc: )?(?:Marking TSC unstable|TSC .*unstable)|"
    r"clocksource: timekeeping watchdog|hrtimer: interrupt took"
)

BOOTING_NS = 60_000_000_000


def find(death: Death) -> Iterator[Finding]:
    """Yield one finding for all of it; at boot the kernel chooses its clocks, and turning one down is no trouble."""
    rows = [row for row, text in marked(death, *WORDS) if SAID.match(text)]
    if not rows:
        return
    said = death.lines[rows[0]].text.strip().rstrip(".")[:200]
    late = any((death.log.ns(row) or 0) > BOOTING_NS for row in rows)
    what = "a timer's interrupt took long" if said.startswith(SLOW) else "a clock could not be relied on"
    text = f"{what}: {said}"
    yield Finding(
        "clock-trouble", "warning" if late else "note", text, age(death, death.log.ns(rows[0])), by_rows(death, rows)
    )
