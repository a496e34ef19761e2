"""Tasks were blocked for too long behind a disk that does not answer, and hung_task_panic is set.

Follows kernel/hung_task.c; that the disk owes an answer its own requests in flight tell.
"""

from oopscope.linux.block import requests
from oopscope.stacks.tasks import Task
from oopscope.triage.behind import end_of, evidence, graph_of, told, way
from oopscope.triage.blocked import blamed, detector_fired, named
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Verdict
from oopscope.waits.graph import Graph, Node

MAX_SHOWN = 8
LEAST = 5.0  # seconds that a request is in flight before a disk is said not to answer


def check(death: Death) -> Verdict | None:
    """Fire where what the longest blocked of the named tasks waits for ends in a disk with requests in flight."""
    if not detector_fired(death) or not death.tasks:
        return None
    pids = {pid for _line, pid in named(death)}
    tasks = [task for task in death.tasks if task.pid in pids] or [task for task in death.tasks if task.state == "D"]
    first = max(tasks, key=lambda task: task.since_last_run_seconds or 0, default=None)
    graph = graph_of(death) if first is not None else None
    if first is None or graph is None:
        return None
    edges = way(graph, first.address)
    disk = end_of(graph, edges)
    if disk is None or disk.kind != "disk" or not _owes(death, disk):
        return None
    behind = len(graph.behind(disk.id))
    others = f" and {behind - 1} more" if behind > 1 else ""
    return death.verdict(
        "storage",
        "io-stall",
        f"The disk {disk.name} does not answer",
        f"{first.who}{others} waited without end behind {disk.name}, which has {disk.note}{_set(death)}.",
        "likely",
        [*(death.from_log(line) for line, _pid in list(named(death))[-MAX_SHOWN:]), *_pieces(graph, tasks)],
        (
            f"Look at what {disk.name} is: its controller, its path, its host; timeouts and resets in the log.",
            f"The requests in flight (oopscope show requests) tell since when it owes an answer: {told(graph, edges)}.",
        ),
        culprit=blamed(death, first.address),
        task=first,
    )


def _set(death: Death) -> str:
    return ", and hung_task_panic is set" if "hung_task" in (death.panic_message or "") else ""


def _pieces(graph: Graph, tasks: list[Task]) -> list[Evidence]:
    found = (evidence(graph, task.address) for task in tasks[:MAX_SHOWN])
    return [piece for piece in found if piece is not None]


def _owes(death: Death, disk: Node) -> bool:
    """Tell whether a disk has a request that has been in flight for long."""
    mine = [one.age_seconds or 0.0 for one in requests(death.kernel) if one.disk == disk.name]
    return max(mine, default=0.0) >= LEAST
