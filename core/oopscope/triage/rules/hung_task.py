"""Tasks were blocked for too long, and hung_task_panic is set. Follows kernel/hung_task.c."""

from oopscope.stacks.tasks import Task
from oopscope.triage import behind, told_blocked
from oopscope.triage.behind import graph_of, told, way
from oopscope.triage.blocked import blamed, detector_fired, does, held_by, lock_words, named, sleep_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding, Verdict
from oopscope.waits.graph import Graph
from oopscope.waits.locks import Wait, chain

MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words; the tasks are those that the detector named last."""
    if not detector_fired(death):
        return None
    if not death.tasks:
        return told_blocked.verdict(death)
    reported = list(named(death))
    evidence = [death.from_log(line) for line, _pid in reported[-MAX_SHOWN:]]
    pids = {pid for _line, pid in reported}
    tasks = [t for t in death.tasks if t.pid in pids] or [t for t in death.tasks if t.state == "D"]
    first = max(tasks, key=lambda t: t.since_last_run_seconds or 0, default=None)
    locked = waits(death)
    frozen = _frozen(death, locked, {t.address for t in tasks})
    evidence += [piece for one in frozen for piece in one.evidence[:2]]
    by_address, graph = {t.address: t for t in death.tasks}, graph_of(death)
    why = f"; {frozen[0].text}" if frozen else _holder(first, locked, by_address, graph)
    if not why and first is not None and graph is not None:
        why = _behind(graph, first)
    evidence += [_evidence(t, locked.get(t.address), by_address, graph) for t in tasks[:MAX_SHOWN]]
    who = first.who if first else "a task"
    culprit = blamed(death, first.address if first else None)
    place = culprit.symbol if culprit else first.wait if first else None
    where = f" in {place}" if place else ""
    others = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    return death.verdict(
        "hang",
        "hung-task",
        "Tasks blocked for too long",
        f"{who}{others} waited{where} without end{why}{death.fatal_by('hung_task_panic')}.",
        "certain",
        evidence,
        (
            "Look at the stacks of the blocked tasks: what does the longest blocked one wait for, and who holds it?",
            "Tasks that wait for I/O point at the storage; tasks that wait for a lock at its holder.",
        ),
        culprit=culprit,
        task=first,
    )


def _behind(graph: Graph, task: Task) -> str:
    """Return in words what a task waits for that is no lock, to the end of it; nothing where it is not known."""
    edges = way(graph, task.address)
    return f" for {told(graph, edges)}" if edges else ""


def _evidence(task: Task, wait: Wait | None, tasks: dict[int, Task], graph: Graph | None) -> Evidence:
    """Return as evidence what a task waits for: by its lock, by the graph, else the place where it sleeps."""
    known = behind.evidence(graph, task.address) if graph is not None and wait is None else None
    return known if known is not None else sleep_evidence(task, wait, tasks)


def _frozen(death: Death, locked: dict[int, Wait], tasks: set[int]) -> list[Finding]:
    """Return the frozen file systems behind which one of the tasks waits."""
    mine = {wait.pid for address, wait in locked.items() if address in tasks}
    known = [one for one in death.findings if one.id == "frozen-filesystem"]
    return [one for one in known if any(e.source.kind == "task" and int(e.source.key) in mine for e in one.evidence)]


def _holder(task: Task | None, locked: dict[int, Wait], tasks: dict[int, Task], graph: Graph | None) -> str:
    """Return in words the lock at the end of what a task waits for, and who holds it; or what others wait for of it.

    A holder that waits for something else is followed to the end of that.
    """
    if task is None:
        return ""
    found, _ = chain(locked, task.address)
    last = tasks.get(found[-1].holder or 0) if found else None
    if last is not None:
        onward = way(graph, last.address) if graph is not None else []
        words = f", which waits for {told(graph, onward)}" if graph is not None and onward else does(last)
        return f" for the {lock_words(found[-1])} that {last.who} holds{words}"
    if found:
        return f" for the {lock_words(found[-1])}, {held_by(found[-1])}"
    others = [wait for wait in locked.values() if wait.holder == task.address]
    return f", {task.who} holding the {lock_words(others[0])} that others wait for" if others else ""
