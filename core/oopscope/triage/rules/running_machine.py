"""A machine that runs while it is read (LIVE): nothing has crashed, whatever its log tells of what it survived."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict

MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire where memory is read of a machine that runs on."""
    if not death.kernel.facts.live:
        return None
    survived = [death.from_log(death.lines[r.row]) for r in death.log.reports if r.kind == "oops"][-MAX_SHOWN:]
    blocked = sorted((t for t in death.tasks if t.state == "D"), key=lambda t: -(t.since_last_run_seconds or 0))
    waiting = [
        Evidence(f"{t.who} is blocked in {t.wait or 'an unknown place'}", Source("task", str(t.pid), t.address))
        for t in blocked[:MAX_SHOWN]
    ]
    told = [f"{len(blocked)} tasks are blocked"] if blocked else []
    told += ["its log tells of an oops that it survived"] if survived else []
    return death.verdict(
        "manual",
        "external-dump",
        "LIVE: a running machine",
        "; ".join(["This machine runs, and what is shown changes while it is read", *told]) + ".",
        "certain",
        [*survived, *waiting],
        ("Read it anew to see what has changed; what every reading shows is so.",),
    )
