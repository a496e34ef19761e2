"""Tasks in uninterruptible sleep: how many, which for longest, what that one waits for."""

from collections.abc import Iterator

from oopscope.stacks.tasks import Task
from oopscope.triage import behind
from oopscope.triage.behind import graph_of
from oopscope.triage.blocked import sleep_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding, Severity
from oopscope.waits.graph import Graph
from oopscope.waits.locks import Wait

MAX_SHOWN = 8
SHORT, LONG = 1.0, 20.0  # seconds: a task that reads a disk sleeps that long, no healthy one longer


def find(death: Death) -> Iterator[Finding]:
    """Yield one finding for all of them; those that blocked just now are nobody's business."""
    asleep = [t for t in death.tasks if t.state == "D" and (t.since_last_run_seconds or 0) >= SHORT]
    if not asleep:
        return
    asleep.sort(key=lambda t: -(t.since_last_run_seconds or 0))
    locked, by_address = waits(death), {t.address: t for t in death.tasks}
    longest = asleep[0]
    graph = graph_of(death) if not death.only_log else None
    evidence = tuple(_evidence(t, locked, by_address, graph) for t in asleep[:MAX_SHOWN])
    since = longest.since_last_run_seconds or 0.0
    count = f"{len(asleep)} tasks are blocked, " if len(asleep) > 1 else ""
    who = f"the longest {longest.who}" if len(asleep) > 1 else f"{longest.who} is blocked"
    severity: Severity = "error" if since >= 6 * LONG else "warning" if since >= LONG else "note"
    rest = evidence[0].text.removeprefix(f"{longest.who} ").replace("is blocked in", "in")
    text = f"{count}{who} since {since:.1f} s, {rest if rest.startswith('in') else f'it {rest}'}"
    yield Finding("blocked-tasks", severity, text, round(since, 3), evidence)


def _evidence(task: Task, locked: dict[int, Wait], tasks: dict[int, Task], graph: Graph | None) -> Evidence:
    """Return as evidence what a task waits for: its lock, else what the graph knows, else where it sleeps."""
    wait = locked.get(task.address)
    known = behind.evidence(graph, task.address) if graph is not None and wait is None else None
    return known if known is not None else sleep_evidence(task, wait, tasks)
