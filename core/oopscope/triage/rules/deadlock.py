"""Blocked tasks wait for each other's locks in a circle, and hung_task_panic is set. Follows kernel/hung_task.c."""

from oopscope.triage.behind import circle_evidence, circle_story, graph_of
from oopscope.triage.blocked import blamed, detector_fired, named, story, wait_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.waits.locks import KINDS, Wait, chain

MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire where the detector of blocked tasks did, and the owners of the locks they wait for close a circle."""
    if not detector_fired(death):
        return None
    circle = _circle(death)
    if not circle:
        return _of_graph(death)
    lines = [death.from_log(line) for line, pid in named(death) if pid in {wait.pid for wait in circle}]
    first = next((t for t in death.tasks if t.address == circle[0].task), None)
    return death.verdict(
        "hang",
        "deadlock",
        "Deadlock: tasks wait for each other's locks" if len(circle) > 1 else "Deadlock: a task waits for its own lock",
        f"{story(circle)}, and hung_task_panic is set.",
        "likely" if any(wait.readers for wait in circle) else "certain",
        [*lines[-MAX_SHOWN:], *(wait_evidence(wait, None) for wait in circle[:MAX_SHOWN])],
        (
            "Look at the stacks of these tasks: each shows where one lock is taken while the other is held.",
            "Take the locks in one order everywhere; a kernel with CONFIG_PROVE_LOCKING names the broken order.",
        ),
        culprit=blamed(death, circle[0].task),
        task=first,
    )


def _of_graph(death: Death) -> Verdict | None:
    """Judge a circle that is not of locks alone: through a work item that is flushed, a task's end, a pipe."""
    graph = graph_of(death)
    pids = {pid for _line, pid in named(death)}
    for ring in graph.circles if graph is not None else ():
        tasks = [graph.nodes[name] for name in ring if graph.nodes[name].kind == "task"] if graph is not None else []
        if graph is None or (pids and not any(task.pid in pids for task in tasks)):
            continue
        kinds = {graph.nodes[name].kind for name in ring} - {"task", *(kind.name for kind in KINDS)}
        through = f" and for {'each' if len(kinds) > 1 else 'a'} {' and '.join(sorted(kinds))}" if kinds else ""
        first = next((t for t in death.tasks if t.address == tasks[0].address), None)
        lines = [death.from_log(line) for line, pid in named(death) if pid in {task.pid for task in tasks}]
        return death.verdict(
            "hang",
            "deadlock",
            f"Deadlock: tasks wait for each other's locks{through}",
            f"{circle_story(graph, ring)}, and hung_task_panic is set.",
            "certain",
            [*lines[-MAX_SHOWN:], *circle_evidence(graph, ring)],
            (
                "Look at the stacks of these tasks: each shows what is waited for while something else is held.",
                "A lock that a work item takes must not be held while that work is flushed or cancelled.",
            ),
            culprit=blamed(death, tasks[0].address),
            task=first,
        )
    return None


def _circle(death: Death) -> list[Wait]:
    """Return the waits that close a circle, beginning with the task that has waited longest; empty without one.

    A circle counts to which a task that the detector named leads; where it is not known whom it named, any.
    """
    found = waits(death)
    pids = {pid for _line, pid in named(death)}
    since = {t.address: t.since_last_run_seconds or 0 for t in death.tasks}
    for task in sorted(found, key=lambda address: -since.get(address, 0)):
        ring, closed = chain(found, task)
        if closed and (not pids or found[task].pid in pids):
            first = max(range(len(ring)), key=lambda at: since.get(ring[at].task, 0))
            return ring[first:] + ring[:first]
    return []
