"""Tasks that wait for each other's locks in a circle: a deadlock, whether anybody has noticed it or not."""

from collections.abc import Iterator

from oopscope.triage.blocked import story, wait_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.waits.locks import circles

MAX_SHOWN = 8


def find(death: Death) -> Iterator[Finding]:
    """Yield each circle, with how many wait behind it."""
    if death.only_log:
        return
    found, by_address = waits(death), {t.address: t for t in death.tasks}
    for ring in circles(found)[:MAX_SHOWN]:
        inside = {wait.task for wait in ring}
        behind = sum(1 for wait in found.values() if wait.task not in inside and wait.holder in inside)
        since = [t.since_last_run_seconds for t in (by_address.get(wait.task) for wait in ring) if t]
        known = [one for one in since if one is not None]
        more = f"; {behind} more wait behind them" if behind else ""
        yield Finding(
            "deadlock", "error", f"{story(ring)}: a deadlock{more}", round(max(known), 3) if known else None,
            tuple(wait_evidence(wait, by_address.get(wait.owner or 0)) for wait in ring[:MAX_SHOWN]),
        )  # fmt: skip
