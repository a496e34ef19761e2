"""The graph of who waits for whom: nodes, edges, and what follows from them: circles, roots, who stands behind whom.

Plain data; it knows no kernel. A waiter waits for a thing, a thing is held by its holders, a thing stands behind
another (a disk behind the file system of its file). How an edge is known is its basis: `recorded` by the kernel in so
many words, `linked` by lists that agree both ways, `inferred` from the waiter's own words, `likely` for the rest. Only
what is recorded or linked proves a circle, and only where the thing has one holder, or needs all of its holders.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal, NamedTuple

Basis = Literal["recorded", "linked", "inferred", "likely"]
Kind = Literal["waits_for", "held_by", "behind"]
BASES: tuple[Basis, ...] = ("recorded", "linked", "inferred", "likely")
PROVES = ("recorded", "linked")
MAX_CIRCLES = 64


class Node(NamedTuple):
    """A task, or a thing that one can wait for."""

    id: str
    kind: str  # task, lock's kinds, request, disk, filesystem, work, worker, rcu, futex, pipe, socket, cpu ...
    name: str
    address: int | None = None
    pid: int | None = None
    note: str = ""  # what is known of it besides: what a task does, how a thing is
    any: bool = False  # one of its holders is enough to end the wait: that one of them waits proves nothing


def is_any_child(node: Node) -> bool:
    """Tell whether a thing is whichever child of a process ends first, which its name says without its kind."""
    return node.kind == "child" and not node.name.isdecimal()


class Edge(NamedTuple):
    """One node waits for, is held by or stands behind another."""

    source: str
    target: str
    kind: Kind
    basis: Basis
    since_seconds: float | None = None
    evidence: str = ""


class Claim(NamedTuple):
    """What one kind of edge says: two nodes and how the first hangs on the second; no second for a thing alone."""

    source: Node
    target: Node
    kind: Kind
    basis: Basis
    since_seconds: float | None = None
    evidence: str = ""


class Graph:
    """All that waits, and for what."""

    def __init__(self, nodes: Iterable[Node], edges: Iterable[Edge]) -> None:
        self.nodes = {node.id: node for node in nodes}
        self.edges = tuple(edge for edge in edges if edge.source in self.nodes and edge.target in self.nodes)

    @cached_property
    def out(self) -> dict[str, list[Edge]]:
        """The edges that leave each node."""
        found: dict[str, list[Edge]] = {name: [] for name in self.nodes}
        for edge in self.edges:
            found[edge.source].append(edge)
        return found

    @cached_property
    def into(self) -> dict[str, list[Edge]]:
        """The edges that lead to each node."""
        found: dict[str, list[Edge]] = {name: [] for name in self.nodes}
        for edge in self.edges:
            found[edge.target].append(edge)
        return found

    def since(self, name: str) -> float | None:
        """Return for how many seconds a node waits: the longest of its edges."""
        return max((e.since_seconds for e in self.out[name] if e.since_seconds is not None), default=None)

    def needs_one_of(self, name: str) -> bool:
        """Tell whether one of several holders is enough to end the wait for a thing."""
        return self.nodes[name].any and len(self.out[name]) > 1

    def _proven(self, name: str) -> Iterator[str]:
        """Yield the nodes without which one cannot go on, by edges that prove it."""
        if not self.needs_one_of(name):
            yield from (edge.target for edge in self.out[name] if edge.basis in PROVES)

    @cached_property
    def circles(self) -> tuple[tuple[str, ...], ...]:
        """Every proven circle once: the nodes in order, beginning with the task of the lowest PID."""
        found: dict[frozenset[str], tuple[str, ...]] = {}
        done: set[str] = set()
        for name in self.nodes:
            if name not in done and len(found) < MAX_CIRCLES:
                for ring in self._rings(name, done):
                    if self._is_circle(ring):
                        found.setdefault(frozenset(ring), self._turned(ring))
        return tuple(sorted(found.values(), key=lambda ring: (*self._weight(*ring), -len(ring), ring)))

    def _rings(self, start: str, done: set[str]) -> Iterator[tuple[str, ...]]:
        """Go depth first along proven edges, without recursion; yield a ring for each edge back into the path."""
        path, places = [start], {start: 0}
        ahead = [self._proven(start)]
        while path:
            following = next(ahead[-1], None)
            if following is None:
                ahead.pop()
                left = path.pop()
                del places[left]
                done.add(left)
            elif following in places:
                yield tuple(path[places[following] :])
            elif following not in done:
                places[following] = len(path)
                path.append(following)
                ahead.append(self._proven(following))

    def _is_circle(self, ring: tuple[str, ...]) -> bool:
        """Tell whether a ring is one of several tasks: of one alone, the owner's address may be stale."""
        tasks = [name for name in ring if self.nodes[name].kind == "task"]
        return len(tasks) > 1

    def _turned(self, ring: tuple[str, ...]) -> tuple[str, ...]:
        first = min(range(len(ring)), key=lambda at: self.nodes[ring[at]].pid or 1 << 32)
        return ring[first:] + ring[:first]

    @cached_property
    def in_circles(self) -> frozenset[str]:
        """The nodes that are part of a circle."""
        return frozenset(name for ring in self.circles for name in ring)

    def behind(self, *names: str) -> list[str]:
        """Return the tasks that wait, directly or through others, behind some nodes, which are not among them.

        Who needs but one of several to go on is behind none of them.
        """
        seen, todo, found = set(names), deque(names), []
        while todo:
            for edge in self.into[todo.popleft()]:
                if edge.source not in seen and not self.needs_one_of(edge.source):
                    seen.add(edge.source)
                    todo.append(edge.source)
                    if self.nodes[edge.source].kind == "task":
                        found.append(edge.source)
        return found

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """The nodes at the end of what others wait for, those with the most tasks behind them first."""
        ends = [
            name for name, edges in self.out.items()
            if not edges and any(not self.needs_one_of(edge.source) for edge in self.into[name])
        ]  # fmt: skip
        sizes = {name: self._weight(name) for name in ends}
        return tuple(sorted(ends, key=lambda name: (*sizes[name], name)))

    def _weight(self, *names: str) -> tuple[int, float]:
        tasks = self.behind(*names)
        return -len(tasks), -max((self.since(task) or 0.0 for task in (*tasks, *names)), default=0.0)

    def waits_of(self, task: str) -> list[Edge]:
        """Return what a task itself waits for."""
        return [edge for edge in self.out.get(task, ()) if edge.kind == "waits_for"]


def joined(claims: Iterable[Claim]) -> Graph:
    """Return the graph that claims make: a node that several name is one, of an edge the best basis counts."""
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str, str], Edge] = {}
    for claim in claims:
        for node in (claim.source, claim.target):
            known = nodes.get(node.id)
            if known is None or (node.note and not known.note):
                nodes[node.id] = node
        key = claim.source.id, claim.target.id, claim.kind
        edge = Edge(claim.source.id, claim.target.id, *claim[2:])
        if key not in edges or BASES.index(edge.basis) < BASES.index(edges[key].basis):
            edges[key] = edge
    return Graph(nodes.values(), edges.values())
