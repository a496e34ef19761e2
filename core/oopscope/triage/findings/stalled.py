"""Disks, and servers of file systems, that have owed an answer for long while tasks wait behind them."""

from collections.abc import Iterator

from oopscope.linux.block import requests
from oopscope.linux.task_state import called
from oopscope.triage.behind import evidence, graph_of
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding
from oopscope.waits.graph import Graph, Node

LONG = 5.0  # seconds: no disk that works takes that for one request
LONG_SERVED = 10.0  # of a server, which may have to ask others
MAX_SHOWN = 8
SERVERS = {"fuse": "the FUSE", "server": "the server"}


def find(death: Death) -> Iterator[Finding]:
    """Yield each disk with an old request in flight and tasks that wait behind it; each server, likewise."""
    graph = graph_of(death) if not death.only_log else None
    if graph is None:
        return
    for node in list(graph.nodes.values()):
        if node.kind == "disk" and not graph.out[node.id]:  # what stands behind something else is not to blame itself
            yield from _disk(death, graph, node)
        elif node.kind in SERVERS:
            yield from _server(graph, node)


def _disk(death: Death, graph: Graph, node: Node) -> Iterator[Finding]:
    ages = [one.age_seconds or 0.0 for one in requests(death.kernel) if one.disk == node.name]
    behind = graph.behind(node.id)
    if behind and max(ages, default=0.0) >= LONG:
        text = f"the disk {node.name} does not answer: {node.note}; {_tasks(behind)} behind it"
        yield Finding("io-stall", "error", text, round(max(ages), 3), _pieces(graph, behind))


def _server(graph: Graph, node: Node) -> Iterator[Finding]:
    """A server is said not to answer by how long one has waited for it; who serves is named with what that one does."""
    behind = graph.behind(node.id)
    since = max((graph.since(name) or 0.0 for name in behind), default=0.0)
    if since < LONG_SERVED:
        return
    found = [graph.nodes[edge.target] for edge in graph.out[node.id]]
    does = [f"{called(one.pid, one.name)} {one.note.partition(', ')[2] or 'waits itself'}" for one in found[:2]]
    here = f": {', '.join(does)}" if does else ""
    text = f"{SERVERS[node.kind]} {node.name} does not answer{here}; {_tasks(behind)} behind it"
    yield Finding("io-stall", "error", text, round(since, 3), _pieces(graph, behind))


def _tasks(behind: list[str]) -> str:
    return f"{len(behind)} tasks wait" if len(behind) > 1 else "1 task waits"


def _pieces(graph: Graph, behind: list[str]) -> tuple[Evidence, ...]:
    found = (evidence(graph, graph.nodes[name].address or 0) for name in behind[:MAX_SHOWN])
    return tuple(piece for piece in found if piece is not None)
