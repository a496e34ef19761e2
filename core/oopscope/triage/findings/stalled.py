"""Disks that have owed an answer for long while tasks wait behind them."""

from collections.abc import Iterator

from oopscope.linux.block import requests
from oopscope.triage.behind import evidence, graph_of
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding

LONG = 5.0  # seconds: no disk that works takes that for one request
MAX_SHOWN = 8


def find(death: Death) -> Iterator[Finding]:
    """Yield each disk with an old request in flight and tasks that wait behind it."""
    graph = graph_of(death) if not death.only_log else None
    if graph is None:
        return
    for node in list(graph.nodes.values()):
        if node.kind != "disk" or graph.out[node.id]:  # what stands behind something else is not to blame itself
            continue
        ages = [one.age_seconds or 0.0 for one in requests(death.kernel) if one.disk == node.name]
        behind = graph.behind(node.id)
        if not behind or max(ages, default=0.0) < LONG:
            continue
        tasks = f"{len(behind)} tasks wait" if len(behind) > 1 else "1 task waits"
        pieces = (evidence(graph, graph.nodes[name].address or 0) for name in behind[:MAX_SHOWN])
        text = f"the disk {node.name} does not answer: {node.note}; {tasks} behind it"
        yield Finding(
            "io-stall", "error", text, round(max(ages), 3), tuple(piece for piece in pieces if piece is not None)
        )
