"""The other end of files: locks of files, sockets whose peer is in the same process, on a guest of 6.1."""

from cases import case_of
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Graph


def waits_of(graph: Graph, comm: str) -> set[tuple[str, str, str, tuple[str, ...]]]:
    found = set()
    for edge in graph.edges:
        if edge.kind == "waits_for" and graph.nodes[edge.source].name == comm:
            thing = graph.nodes[edge.target]
            holders = tuple(graph.nodes[one.target].name for one in graph.out[thing.id])
            found.add((thing.kind, thing.name, thing.note, holders))
    return found


def test_a_lock_of_a_file_is_held_by_whose_it_is() -> None:
    graph = wait_graph(case_of("6.1-life").kernel)
    assert waits_of(graph, "life-lock") == {("file lock", "of inode 12 of /data", "", ("life-lock",))}


def test_a_connection_with_both_ends_in_one_process_has_no_other_holder() -> None:
    graph = wait_graph(case_of("6.1-life").kernel)
    ((kind, name, note, holders),) = waits_of(graph, "life-tcp")
    assert (kind, note, holders) == ("socket", "its other end is open in this process alone", ())
    assert name == "tcp 127.0.0.1:50352 to 127.0.0.1:7070"
    ((kind, _, note, holders),) = waits_of(graph, "life-unix")
    assert (kind, note, holders) == ("socket", "its other end is open in this process alone", ())
