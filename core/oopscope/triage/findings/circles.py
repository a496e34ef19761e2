"""Tasks that wait for each other's locks in a circle: a deadlock, whether anybody has noticed it or not."""

from collections.abc import Iterator

from oopscope.triage.behind import circle_evidence, circle_story, graph_of
from oopscope.triage.blocked import story, wait_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.waits.locks import circles

MAX_SHOWN = 8


def find(death: Death) -> Iterator[Finding]:
    """Yield each circle, with how many wait behind it."""
    if death.only_log:
        return
    found, by_address = waits(death), {t.address: t for t in death.tasks}
    for ring in circles(found)[:MAX_SHOWN]:
        inside = {wait.task for wait in ring}
        behind = sum(1 for wait in found.values() if wait.task not in inside and wait.holder in inside)
        since = [t.since_last_run_seconds for t in (by_address.get(wait.task) for wait in ring) if t]
        known = [one for one in since if one is not None]
        more = f"; {behind} more wait behind them" if behind else ""
        yield Finding(
            "deadlock", "error", f"{story(ring)}: a deadlock{more}", round(max(known), 3) if known else None,
            tuple(wait_evidence(wait, by_address.get(wait.owner or 0)) for wait in ring[:MAX_SHOWN]),
        )  # fmt: skip
    yield from _of_graph(death, {wait.task for ring in circles(found) for wait in ring})


def _of_graph(death: Death, told: set[int]) -> Iterator[Finding]:
    """Yield the circles that are not of locks alone."""
    graph = graph_of(death)
    for ring in graph.circles[:MAX_SHOWN] if graph is not None else ():
        tasks = [name for name in ring if graph is not None and graph.nodes[name].kind == "task"]
        if graph is None or any(graph.nodes[name].address in told for name in tasks):
            continue
        since = max((graph.since(name) or 0.0 for name in tasks), default=0.0)
        behind = len(graph.behind(*ring))
        more = f"; {behind} more wait behind them" if behind else ""
        text = f"{circle_story(graph, ring)}: a deadlock{more}"
        yield Finding("deadlock", "error", text, round(since, 3), tuple(circle_evidence(graph, ring)))
