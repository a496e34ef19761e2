"""What a blocked task waits for, to the end, in words: by the wait-for graph, whose edges say how they are known."""

from collections.abc import Sequence

from oopscope.errors import OopscopeError
from oopscope.linux.task_state import called
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Edge, Graph, Node

MAX_STEPS = 12
MAX_SHOWN = 8
PROVEN = ("recorded", "linked")


def graph_of(death: Death) -> Graph | None:
    """Return who waits for whom; None where it cannot be read."""
    try:
        return wait_graph(death.kernel)
    except OopscopeError as error:
        death.kernel.problems.lost("waits")(error)
        return None


def node_of(graph: Graph, address: int) -> str | None:
    """Return the node of the task at an address; None where it waits for nothing that is known."""
    return next((name for name, node in graph.nodes.items() if node.kind == "task" and node.address == address), None)


def way(graph: Graph, address: int) -> list[Edge]:
    """Return the edges from a task to the end of what it waits for: as long as there is one and no more, no circle."""
    name, edges, seen = node_of(graph, address), list[Edge](), set[str]()
    while name is not None and name not in seen and len(graph.out[name]) == 1 and len(edges) < MAX_STEPS:
        seen.add(name)
        edges.append(graph.out[name][0])
        name = edges[-1].target
    return edges


def end_of(graph: Graph, edges: Sequence[Edge]) -> Node | None:
    """Return what a way ends in; None where it closes a circle, or goes nowhere."""
    if not edges or edges[-1].target in {edge.source for edge in edges}:
        return None
    return graph.nodes[edges[-1].target]


def who(node: Node) -> str:
    """Return a node in words."""
    if node.kind == "task":
        return called(node.pid, node.name)
    name = node.name if node.kind == "filesystem" else f"{node.kind.replace('_', ' ')} {node.name}"
    return f"{'the ' if node.kind != 'filesystem' else ''}{name}"


def told(graph: Graph, edges: Sequence[Edge]) -> str:
    """Return a way in words: `the request vda: WRITE ..., behind the disk vda, 3 in flight`; nothing for none."""
    words: list[str] = []
    for edge in edges:
        target = graph.nodes[edge.target]
        doubt = "" if edge.basis in PROVEN else f" ({edge.basis})"
        if edge.kind == "waits_for":
            words.append(f"{'which waits for ' if words else ''}{who(target)}{doubt}")
        elif edge.kind == "held_by":
            words.append(f"held by {who(target)}{doubt}")
        else:
            words.append(f"behind {who(target)}{doubt}")
    if not words:
        return ""
    note = graph.nodes[edges[-1].target].note
    does = note.partition(", ")[2] if graph.nodes[edges[-1].target].kind == "task" else note
    return ", ".join(
        [*words, *([f"which {does}" if " in " in f" {does}" and "flight" not in does else does] * bool(does))]
    )


def spun_for(death: Death, task: int | None) -> str:
    """Return the spinlock that a task spins for, and who likely holds it, in words; nothing where none is known."""
    graph = graph_of(death) if task and not death.only_log else None
    edges = way(graph, task) if graph is not None and task else []
    lock = graph.nodes[edges[0].target] if graph is not None and edges else None
    if graph is None or lock is None or lock.kind != "spinlock":
        return ""
    held = f" that {who(graph.nodes[edges[1].target])} likely holds," if len(edges) > 1 else ""
    return f"the spinlock {lock.name}{held}"


def evidence(graph: Graph, address: int) -> Evidence | None:
    """Return as evidence what a task waits for, to the end; None where nothing of it is known."""
    edges = way(graph, address)
    if not edges:
        return None
    first = graph.nodes[edges[0].source]
    return Evidence(f"{who(first)} waits for {told(graph, edges)}", Source("task", str(first.pid), first.address))


def circle_story(graph: Graph, ring: Sequence[str]) -> str:
    """Return a circle in words: who waits for what, each held by the next."""
    steps = [
        f"{who(graph.nodes[name])} waits for {who(graph.nodes[ring[(at + 1) % len(ring)]])}"
        for at, name in enumerate(ring)
        if graph.nodes[name].kind == "task"
    ]
    return f"{', '.join(steps[:MAX_SHOWN])}, each held by the next and the last by the first"


def circle_evidence(graph: Graph, ring: Sequence[str]) -> list[Evidence]:
    """Return as evidence each step of a circle."""
    found = []
    for at, name in enumerate(ring):
        node = graph.nodes[name]
        if node.kind == "task":
            thing, holder = (graph.nodes[ring[(at + step) % len(ring)]] for step in (1, 2))
            text = f"{who(node)} waits for {who(thing)}, held by {who(holder)}"
            found.append(Evidence(text, Source("task", str(node.pid), node.address)))
    return found[:MAX_SHOWN]
