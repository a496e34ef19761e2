"""The graph as rows: each wait of a task once, with the thing and its holders beside it."""

from collections import Counter
from typing import NamedTuple

from oopscope.kernel.kernel import Kernel
from oopscope.linux.task import all_tasks_known
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Edge, Graph


class WaitRow(NamedTuple):
    """A task that waits for a thing."""

    pid: int | None
    comm: str
    since_seconds: float | None
    kind: str
    thing: str
    holder_pid: int | None
    holders: tuple[str, ...]
    behind: int | None  # None where not every task could be read
    basis: str
    circle: bool
    evidence: str
    task: int | None
    address: int | None
    ring: int | None = None  # which of the circles it is part of, from 1 on


def wait_rows(kernel: Kernel) -> list[WaitRow]:
    """Return every wait, those with the most tasks behind the same thing first, the longest of them first."""
    return rows_of(wait_graph(kernel), all_tasks_known(kernel))


def rows_of(graph: Graph, whole: bool = True) -> list[WaitRow]:
    """Return every wait of a graph; whole: of all tasks, so that those behind one thing can be counted."""
    rings = {name: number for number, ring in enumerate(graph.circles, 1) for name in ring}
    waiters = Counter(edge.target for edge in graph.edges if edge.kind == "waits_for")
    found = [_row(graph, edge, waiters[edge.target], rings, whole) for edge in graph.edges if edge.kind == "waits_for"]
    found.sort(key=lambda row: (not row.circle, -(row.behind or 0), row.address or 0, -(row.since_seconds or 0)))
    return found if whole else [row._replace(behind=None) for row in found]


def _row(graph: Graph, edge: Edge, waiters: int, rings: dict[str, int], whole: bool) -> WaitRow:
    waiter, found = graph.nodes[edge.source], graph.nodes[edge.target]
    holders = [graph.nodes[one.target] for one in graph.out[found.id]]
    # Where one of several is enough, one that is left of them is not who holds it.
    first = holders[0].pid if len(holders) == 1 and (whole or not found.any) else None
    words = tuple(f"{one.name} ({one.pid})" if one.pid is not None else f"{one.kind} {one.name}" for one in holders)
    ring = rings.get(waiter.id) if found.id in rings else None
    return WaitRow(
        waiter.pid, waiter.name, edge.since_seconds, found.kind, found.name, first, words, waiters, edge.basis,
        ring is not None, edge.evidence, waiter.address, found.address, ring,
    )  # fmt: skip
