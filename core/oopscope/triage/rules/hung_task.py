"""Tasks were blocked for too long, and hung_task_panic is set. Follows kernel/hung_task.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict

INFO = r"INFO: task (.+):(\d+) (?:is )?blocked (?:in I/O wait )?for more than (\d+) seconds"
MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words; the tasks are those that the detector named last."""
    if "hung_task: blocked tasks" not in (death.panic_message or "") or death.panic_line is None:
        return None
    evidence: list[Evidence] = []
    named: dict[int, str] = {}
    for line, found in _named(death):
        evidence.append(death.from_log(line))
        named.setdefault(int(found[1]), found[0])
    evidence = evidence[-MAX_SHOWN:]
    tasks = [t for t in death.tasks if t.pid in named] or [t for t in death.tasks if t.state == "D"]
    first = max(tasks, key=lambda t: t.since_last_run_seconds or 0, default=None)
    evidence += [
        Evidence(f"{t.who} sleeps in {t.wait or 'an unknown place'}", Source("task", str(t.pid), t.address))
        for t in tasks[:MAX_SHOWN]
    ]
    who = first.who if first else "a task"
    where = f" in {first.wait}" if first and first.wait else ""
    others = f", and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    return death.verdict(
        "hang",
        "hung-task",
        "Tasks blocked for too long",
        f"{who}{others} waited{where} without end, and hung_task_panic is set.",
        "certain",
        evidence,
        (
            "Look at the stacks of the blocked tasks: what does the longest blocked one wait for, and who holds it?",
            "Tasks that wait for I/O point at the storage; tasks that wait for a lock at its holder.",
        ),
        culprit=_blamed(death, first.address if first else None),
        task=first,
    )


def _named(death: Death):  # type: ignore[no-untyped-def]  # noqa: ANN202 - an iterator of (Line, (comm, pid))
    import re

    compiled = re.compile(INFO)
    for line in death.lines[max(0, (death.panic_line or 0) - 2000) : death.panic_line]:
        found = compiled.search(line.text)
        if found:
            yield line, (found[1], found[2])


def _blamed(death: Death, address: int | None):  # type: ignore[no-untyped-def]  # noqa: ANN202 - Frame | None
    """The first frame of the longest blocked task in a module, else the first beyond the scheduler and the locks."""
    from oopscope.subsystems.tasks import stack

    frames = stack(death.kernel, address) if address else ()
    waiting = (
        "schedule",
        "mutex",
        "rwsem",
        "down_",
        "wait_",
        "__wait",
        "rt_mutex",
        "io_",
        "__mutex",
        "__down",
        "bit_wait",
    )
    plain = [f for f in frames if f.symbol and f.kind != "user"]
    in_module = next((f for f in plain if f.module), None)
    return in_module or next((f for f in plain if not (f.symbol or "").lstrip("_").startswith(waiting)), None)
