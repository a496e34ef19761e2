"""Tasks were blocked for too long, and hung_task_panic is set. Follows kernel/hung_task.c."""

import re
from collections.abc import Iterator

from oopscope.kernel.frame import Frame
from oopscope.subsystems.tasks import stack
from oopscope.triage.death import Death, Line
from oopscope.triage.finding import Evidence, Source, Verdict

INFO = re.compile(r"INFO: task .+:(\d+) (?:is )?blocked (?:in I/O wait )?for more than \d+ seconds")
# What a blocked task's stack begins with: the scheduler, and how it came to wait.
WAITING = re.compile(r"_*(schedule|mutex|rwsem|down_|wait_|rt_mutex|io_|bit_wait|percpu_rwsem|folio_wait|preempt_)")
MAX_SHOWN = 8
MAX_LINES = 2000


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words; the tasks are those that the detector named last."""
    if "hung_task: blocked tasks" not in (death.panic_message or "") or death.panic_line is None:
        return None
    named = list(_named(death))
    evidence = [death.from_log(line) for line, _pid in named[-MAX_SHOWN:]]
    pids = {pid for _line, pid in named}
    tasks = [t for t in death.tasks if t.pid in pids] or [t for t in death.tasks if t.state == "D"]
    first = max(tasks, key=lambda t: t.since_last_run_seconds or 0, default=None)
    evidence += [
        Evidence(f"{t.who} sleeps in {t.wait or 'an unknown place'}", Source("task", str(t.pid), t.address))
        for t in tasks[:MAX_SHOWN]
    ]
    who = first.who if first else "a task"
    where = f" in {first.wait}" if first and first.wait else ""
    others = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
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


def _named(death: Death) -> Iterator[tuple[Line, int]]:
    """Yield the lines in which the detector names a blocked task, and its PID."""
    for line in death.lines[max(0, (death.panic_line or 0) - MAX_LINES) : death.panic_line]:
        found = INFO.search(line.text)
        if found:
            yield line, int(found[1])


def _blamed(death: Death, address: int | None) -> Frame | None:
    """The first frame of the longest blocked task in a module, else the first beyond the scheduler and the locks."""
    frames = [f for f in (stack(death.kernel, address) if address else ()) if f.symbol and f.kind != "user"]
    in_module = next((f for f in frames if f.module), None)
    return in_module or next((f for f in frames if not WAITING.match(f.symbol or "")), None)
