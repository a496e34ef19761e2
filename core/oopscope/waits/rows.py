"""The graph as rows: each wait of a task once, with the thing and its holders beside it."""

from typing import NamedTuple

from oopscope.kernel.kernel import Kernel
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Graph


class WaitRow(NamedTuple):
    """A task that waits for a thing."""

    pid: int | None
    comm: str
    since_seconds: float | None
    kind: str
    thing: str
    holder_pid: int | None
    holders: tuple[str, ...]
    behind: int
    basis: str
    circle: bool
    evidence: str
    task: int | None
    address: int | None


def wait_rows(kernel: Kernel) -> list[WaitRow]:
    """Return every wait, those with the most tasks behind the same thing first, the longest of them first."""
    graph = wait_graph(kernel)
    found = [
        row for edge in graph.edges if edge.kind == "waits_for" for row in (_row(graph, edge.source, edge.target),)
    ]
    return sorted(found, key=lambda row: (not row.circle, -row.behind, row.address or 0, -(row.since_seconds or 0)))


def _row(graph: Graph, task: str, name: str) -> WaitRow:
    edge = next(one for one in graph.out[task] if one.target == name and one.kind == "waits_for")
    waiter, found = graph.nodes[task], graph.nodes[name]
    holders = [graph.nodes[one.target] for one in graph.out[name]]
    first = holders[0].pid if len(holders) == 1 else None
    words = tuple(f"{one.name} ({one.pid})" if one.pid is not None else f"{one.kind} {one.name}" for one in holders)
    inside = task in graph.in_circles and name in graph.in_circles
    return WaitRow(
        waiter.pid, waiter.name, edge.since_seconds, found.kind, found.name, first, words,
        sum(1 for one in graph.into[name] if one.kind == "waits_for"), edge.basis, inside, edge.evidence,
        waiter.address, found.address,
    )  # fmt: skip
