"""File systems that were frozen (fsfreeze, a snapshot): whoever writes to one waits until it is thawed."""

from collections.abc import Iterator

from oopscope.linux.frozen import FROZEN, all_frozen
from oopscope.triage.blocked import waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding, Source
from oopscope.triage.findings.of_log import by_table


def find(death: Death) -> Iterator[Finding]:
    """Yield each frozen file system, and who waits to write to it."""
    if death.only_log:
        return
    for one in death.kernel.cached(all_frozen):
        behind = [wait for wait in waits(death).values() if one.holds(wait.lock)]
        since = {t.address: t.since_last_run_seconds or 0.0 for t in death.tasks}
        longest = max((since.get(wait.task, 0.0) for wait in behind), default=None)
        who = [f"{wait.comm} (PID {wait.pid})" for wait in behind]
        waiting = (
            f"; {', '.join(who[:4])}{' and more' if len(who) > 4 else ''} wait{'s' if len(who) == 1 else ''} behind it"
        )
        level = "is frozen" if one.level == FROZEN else "is being frozen"
        evidence = [
            by_table(f"super block {one.address:#x} of {one.name}: frozen at level {one.level} of {FROZEN}", "mounts")
        ]
        evidence += [
            Evidence(f"{w.comm} (PID {w.pid}) waits to write to it", Source("task", str(w.pid), w.task))
            for w in behind[:8]
        ]
        yield Finding(
            "frozen-filesystem", "error" if behind else "warning", f"{one.name} {level}{waiting if who else ''}",
            round(longest, 3) if longest is not None else None, tuple(evidence),
        )  # fmt: skip
