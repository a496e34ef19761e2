"""The wait-for graph as data, and as a picture of 80 columns: circles, then what is waited for, the widest first.

The picture is lines of pieces, each with its role and where it leads, so that the text report and the screen draw the
same. Tasks behind one thing are folded by their names.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from oopscope.report.cells import duration, printable, width
from oopscope.stacks.groups import folded
from oopscope.waits.graph import Edge, Graph, Node, is_any_child

Role = Literal["plain", "title", "thing", "task", "alarm", "dim"]
Data = Mapping[str, Any]
WIDTH = 80
LEFT = 32  # cells of what is waited for, before who holds it
NAMED = 4  # waiters that are named, and kinds of names
MAX_CHAIN = 16
MAX_BLOCKS = 40
MAX_RING = 12
PROVEN = ("recorded", "linked")
STUCK = ("D", "R")  # the states of waiters that come first: blocked, and those that spin


class Piece(NamedTuple):
    """Some words of a line."""

    text: str
    role: Role = "plain"


class PictureLine(NamedTuple):
    """A line, and the node that it leads to."""

    pieces: tuple[Piece, ...] = ()
    node: Node | None = None

    @property
    def text(self) -> str:
        """The line without roles."""
        return "".join(piece.text for piece in self.pieces)


def waits_data(graph: Graph) -> dict[str, Any]:
    """Return the graph as the report's contract has it."""
    return {
        "nodes": [
            {
                "id": n.id, "kind": n.kind, "name": n.name, "pid": n.pid, "note": n.note or None, "any": n.any,
                "address": f"{n.address:#x}" if n.address is not None else None,
            }
            for n in graph.nodes.values()
        ],
        "edges": [
            {
                "from": e.source, "to": e.target, "kind": e.kind, "since_seconds": e.since_seconds, "basis": e.basis,
                "evidence": e.evidence,
            }
            for e in graph.edges
        ],
        "circles": [list(ring) for ring in graph.circles],
        "roots": list(graph.roots),
    }  # fmt: skip


def graph_of(data: Data) -> Graph:
    """Return the graph of a report's data."""
    nodes = [
        Node(n["id"], n["kind"], n["name"], int(n["address"], 16) if n["address"] else None, n["pid"], n["note"] or "",
             n["any"])
        for n in data["nodes"]
    ]  # fmt: skip
    edges = [
        Edge(e["from"], e["to"], e["kind"], e["basis"], e["since_seconds"], e["evidence"]) for e in data["edges"]
    ]  # fmt: skip
    return Graph(nodes, edges)


def picture(graph: Graph, columns: int = WIDTH) -> Iterator[PictureLine]:
    """Yield the graph's lines; text of a dump in them is plainly visible."""
    for drawn in _picture(graph, columns):
        pieces = tuple(piece._replace(text=printable(piece.text)) for piece in drawn.pieces)
        yield drawn._replace(pieces=pieces)


def _picture(graph: Graph, columns: int) -> Iterator[PictureLine]:
    drawn = set[str]()
    for ring in graph.circles:
        drawn |= {name for name in ring if graph.nodes[name].kind != "task"}
        yield from _circle(graph, ring, columns)
        yield PictureLine()
    things = _things(graph, drawn)
    for name in things[:MAX_BLOCKS]:
        yield from _block(graph, name, columns)
    if len(things) > MAX_BLOCKS:
        yield PictureLine((Piece(f" and {len(things) - MAX_BLOCKS} more things are waited for", "dim"),))


def _things(graph: Graph, drawn: set[str]) -> list[str]:
    """Return what is waited for by tasks that nobody waits for: by blocked ones, the widest, the longest first.

    Of a circle that nothing proves, to which no chain leads, one thing stands for all.
    """
    waited = [name for name, node in graph.nodes.items() if node.kind != "task" and _waiters(graph, name)]
    found = [name for name in waited if not _comes_by_itself(graph, name, drawn)]
    reached = set(drawn)
    for name in found:
        _go_on(graph, name, reached)
    for name in sorted(waited):
        if name not in reached:
            found.append(name)
            _go_on(graph, name, reached)
    return sorted(found, key=lambda name: _order(graph, name))


def _waiters(graph: Graph, name: str) -> list[str]:
    return [edge.source for edge in graph.into[name] if edge.kind == "waits_for"]


def _order(graph: Graph, name: str) -> tuple[bool, int, float, str]:
    """Return the place of a thing among all."""
    tasks = graph.behind(name)
    blocked = any(graph.nodes[one].note[:1] in STUCK for one in _waiters(graph, name))
    return not blocked, -len(tasks), -max((graph.since(one) or 0.0 for one in tasks), default=0.0), name


def _comes_by_itself(graph: Graph, name: str, drawn: set[str]) -> bool:
    """Tell whether a thing is drawn where others wait for those who wait for it."""
    waiters = _waiters(graph, name)
    return all(_in_chain(graph, one) for one in waiters) and (name in drawn or _reached(graph, waiters))


def _go_on(graph: Graph, name: str, reached: set[str]) -> None:
    """Add what the chain of a thing comes by, as far as it was not reached before."""
    while name not in reached:
        reached.add(name)
        edges = graph.out[name]
        if edges and (len(edges) == 1 or graph.nodes[name].kind == "task"):
            name = edges[0].target


def _in_chain(graph: Graph, task: str) -> bool:
    """Tell whether a task is the only holder of a thing: the chain of that thing comes by it."""
    return any(len(graph.out[edge.source]) == 1 for edge in graph.into[task])


def _reached(graph: Graph, waiters: Sequence[str]) -> bool:
    """Tell whether the chain from another thing comes by one of the waiters; not where they are all in circles."""
    return not all(one in graph.in_circles for one in waiters)


def _circle(graph: Graph, ring: Sequence[str], columns: int) -> Iterator[PictureLine]:
    tasks = [name for name in ring if graph.nodes[name].kind == "task"]
    longest = max((graph.since(one) or 0.0 for one in tasks), default=0.0)
    behind = len(graph.behind(*ring))
    more = f", {behind} more wait behind it" if behind else ""
    yield _titled(Piece(" DEADLOCK", "alarm"), Piece(more, "plain"), f"since {_age(longest)}", columns)
    lines = [_step(graph, task) for task in tasks[:MAX_RING]]
    left, middle, right = (max((width(one[at]) for one in lines), default=0) for at in range(3))
    gap = "  " if 2 + left + 13 + middle + 11 + right <= columns else " "  # room enough about `waits for` and `held by`
    rest = columns - (2 + left + 9 + 7 + 4 * len(gap))
    middle = min(middle, max(rest - right, rest // 2))
    for task, (who, what, held) in zip(tasks, lines, strict=False):
        pieces = (
            Piece(f"  {_fit(who, left)}", "task"), Piece(f"{gap}waits for{gap}"),
            Piece(_fit(_cut(what, middle), middle), "thing"), Piece(f"{gap}held by{gap}"),
            Piece(_cut(held, rest - middle), "task"),
        )  # fmt: skip
        yield PictureLine(pieces, graph.nodes[task])
    if len(tasks) > MAX_RING:
        yield PictureLine((Piece(f"  and {len(tasks) - MAX_RING} more", "dim"),))


def _step(graph: Graph, task: str) -> tuple[str, str, str]:
    """Return one step of a circle in words: the task, the thing, the next task."""
    inside = graph.in_circles
    things = [edge.target for edge in graph.out[task] if edge.target in inside]
    thing = things[0] if things else task
    holder = next((e.target for e in graph.out[thing] if e.target in inside), thing)
    return _who(graph.nodes[task]), _what(graph.nodes[thing]), _who(graph.nodes[holder])


def _block(graph: Graph, name: str, columns: int) -> Iterator[PictureLine]:
    """Yield a thing with its holders, who waits for it, and what the holder itself waits for, to the end."""
    node, circle = graph.nodes[name], name in graph.in_circles
    waiters = [edge for edge in graph.into[name] if edge.kind == "waits_for"]
    if circle:  # those that are part of it are drawn there
        waiters = [edge for edge in waiters if edge.source not in graph.in_circles] or waiters
    longest = max((edge.since_seconds or 0.0 for edge in waiters), default=0.0)
    count = f"{len(waiters):,} wait" if len(waiters) > 1 else "1 waits"
    count += f", {'longest ' if len(waiters) > 1 else ''}{_age(longest)}" if longest else ""  # who spins has no age
    left, held = f" {_fit(_what(node), LEFT - 2)}  ", _held(graph, name)
    room = columns - width(left) - width(count) - 2
    if width(held) > room:
        head = left.rstrip()
        gap = " " * max(1, columns - width(head) - width(count))
        yield PictureLine((Piece(head, "thing"), Piece(gap), Piece(count)), node)
        yield PictureLine((Piece(f"   {_cut(held, columns - 3)}", "task"),), _holder(graph, name) or node)
    else:
        yield PictureLine((Piece(left, "thing"), Piece(_fit(held, room), "task"), Piece(f"  {count}")), node)
    yield _waiting(graph, waiters, columns)
    if not circle:
        yield from _chain(graph, name, columns)


def _waiting(graph: Graph, waiters: Sequence[Edge], columns: int) -> PictureLine:
    nodes = [graph.nodes[edge.source] for edge in sorted(waiters, key=lambda edge: -(edge.since_seconds or 0.0))]
    words = ", ".join(_who(one) for one in nodes) if len(nodes) <= NAMED else folded([one.name for one in nodes])
    unsure = sorted({edge.basis for edge in waiters if edge.basis not in PROVEN})
    mark = f"  ({', '.join(unsure)})" if unsure else ""
    text = Piece(_cut(words, columns - 12 - width(mark)), "task")
    return PictureLine((Piece("   waiting  ", "dim"), text, Piece(mark, "dim")), nodes[0])


def _chain(graph: Graph, name: str, columns: int) -> Iterator[PictureLine]:
    """Yield what a thing's only holder waits for, and so on: the holder itself stands beside the thing."""
    seen, depth = {name}, 0
    while len(graph.out[name]) == 1 and len(seen) < MAX_CHAIN:
        target = graph.nodes[graph.out[name][0].target]
        onward = graph.out[target.id]
        if target.id in seen:
            yield PictureLine((Piece(f"   {'  ' * depth}└ {_who(target)}, and so on in a circle", "dim"),), target)
            return
        seen.add(target.id)
        name = target.id
        if target.kind == "task" and onward:
            what = graph.nodes[onward[0].target]
            name = what.id
            text, held = f"  waits for  {_what(what)}", _held(graph, what.id)
        elif target.kind == "task":
            text, held = f"  {target.note.partition(', ')[2] or f'is in state {target.note}'}", ""
        elif not onward:
            return
        else:
            text, held = "  ", _held(graph, target.id)
        yield _one(f"   {'  ' * depth}└ ", _who(target) if target.kind == "task" else _what(target), text,
                   f"  {held}" if held and held != "nobody known" else "", target, columns)  # fmt: skip
        depth += 1


def _one(indent: str, who: str, text: str, held: str, node: Node, columns: int) -> PictureLine:
    room = columns - width(indent) - width(who)
    words = _cut(f"{text}{held}", room)
    return PictureLine((Piece(indent, "dim"), Piece(who, "task"), Piece(words)), node)


def _holder(graph: Graph, name: str) -> Node | None:
    edges = graph.out[name]
    return graph.nodes[edges[0].target] if len(edges) == 1 else None


def _held(graph: Graph, name: str) -> str:
    """Return who holds a thing, or what it stands behind, in words."""
    node, edges = graph.nodes[name], graph.out[name]
    if not edges:
        return node.note or "nobody known"
    first = graph.nodes[edges[0].target]
    if len(edges) > 1:
        names = folded([graph.nodes[edge.target].name for edge in edges], 2)
        return f"{'any' if node.any else 'each'} of {names}"
    sure = "" if edges[0].basis in PROVEN else f" ({edges[0].basis}){', ' + node.note if node.note else ''}"
    if edges[0].kind == "behind":
        return f"behind {_what(first)}{', ' + first.note if first.note else ''}{sure}"
    return f"held by {_who(first)}{_state(graph, first)}{sure}"


def _state(graph: Graph, node: Node) -> str:
    if node.kind != "task":
        return f" ({node.note})" if node.note else ""
    since = graph.since(node.id)
    letter = node.note.partition(",")[0]
    words = ", ".join(word for word in (letter, _age(since) if since else "") if word)
    return f" ({words})" if words else ""


def _who(node: Node) -> str:
    return printable(f"{node.pid} {node.name}" if node.pid is not None else f"{node.kind} {node.name}")


def _what(node: Node) -> str:
    if node.kind in ("filesystem", "request", "disk") or is_any_child(node):
        return printable(node.name)
    return printable(f"{node.kind} {node.name}")


def _age(seconds: float | None) -> str:
    return duration(seconds) if seconds else "?"


def _fit(text: str, cells: int) -> str:
    return text + " " * (cells - width(text)) if width(text) <= cells else text


def _cut(text: str, cells: int) -> str:
    return text if width(text) <= cells else text[: max(cells - 1, 1)] + "…"


def _titled(title: Piece, more: Piece, right: str, columns: int) -> PictureLine:
    room = columns - width(title.text) - width(more.text) - width(right)
    return PictureLine((title, more, Piece(" " * max(1, room)), Piece(right)))
