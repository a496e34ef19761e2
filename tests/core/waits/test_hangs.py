"""A guest of 6.1 that hangs in forty ways at once: the graph against what it said of itself before it was dumped.

Its account has a line for each task: what it waits for and who holds that. `?`: nobody that a dump could tell.
"""

import re
from typing import NamedTuple

import pytest

from cases import case_of
from oopscope.report.build import build
from oopscope.report.waits import picture
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Edge, Graph
from stored import DUMPS

NAME = "6.1-waits"
LINE = re.compile(r"lab-truth: (\d+) (\S+) waits (\S+)(?: (\S+) (\S+))?")
# Whose line says what was meant and not what came of it: the kernel refuses a circle of PI futexes to the second
# (EDEADLK), and the C library then puts that thread to sleep for good on a word of its own.
REFUSED = "u-pi-b"
# Other tasks that wait: a loop device's worker, the work that is flushed, two shells for their children.
OTHERS = {"kworker/u4:3", "kworker/u4:2", "init", "u-slow-f"}


class Told(NamedTuple):
    """What one task said: for what it will wait, and who holds that."""

    pid: int
    comm: str
    kind: str
    thing: str
    holder: str


def told() -> list[Told]:
    text = (DUMPS / f"{NAME}.account.txt").read_text()
    found = [LINE.match(line) for line in text.splitlines()]
    return [Told(int(m[1]), m[2], m[3], m[4] or "", m[5] or "") for m in found if m and m[3] != "-"]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return wait_graph(case_of(NAME).kernel)


def waits_of(graph: Graph, pid: int) -> list[Edge]:
    node = next((name for name, one in graph.nodes.items() if one.kind == "task" and one.pid == pid), None)
    return graph.waits_of(node) if node is not None else []


@pytest.mark.parametrize("one", told(), ids=lambda one: one.comm)
def test_each_waits_for_what_it_said(graph: Graph, one: Told) -> None:
    (edge,) = waits_of(graph, one.pid)
    thing = graph.nodes[edge.target]
    holders = {graph.nodes[held.target].name for held in graph.out[thing.id]}
    if one.kind in ("disk", "journal"):  # by way of a request or a page, and of what is below
        assert thing.kind in ("request", "page", "buffer")
        assert {graph.nodes[held.target].kind for held in graph.out[thing.id]} == {"disk"}
        if one.kind == "disk":
            assert holders == {one.thing}
        return
    if one.comm != REFUSED:
        assert thing.kind == one.kind or one.kind == "filesystem"
        expected = set() if one.holder.startswith("?") else set(one.holder.split("|"))
        found = {name.partition("/")[0] for name in holders} if one.holder == "kworker" else holders
        assert found <= expected | ({"/outer"} if one.kind == "filesystem" else set())
        assert bool(found) == bool(expected) or one.kind == "filesystem"
    if one.thing.startswith("lw_"):
        assert one.thing in thing.name


def test_nobody_else_waits(graph: Graph) -> None:
    """Precision: every other edge was looked at, and is what these do."""
    known = {one.pid for one in told()}
    others = {graph.nodes[e.source].name for e in graph.edges if e.kind == "waits_for" and
              graph.nodes[e.source].pid not in known}  # fmt: skip
    assert others == OTHERS


def test_circles_are_those_that_were_made_and_no_others(graph: Graph) -> None:
    rings = [{graph.nodes[name].name for name in ring if graph.nodes[name].kind == "task"} for ring in graph.circles]
    assert sorted(map(sorted, rings)) == [
        ["kworker/u4:2", "w-fl-h"],  # flush_work of what waits for a mutex that the flusher holds
        ["w-c2-a", "w-c2-b"],
        ["w-c3-a", "w-c3-b", "w-c3-c"],
        ["w-ic-a", "w-ic-b"],  # interruptible
        ["w-rd-a", "w-rd-b"],  # through a single reader
    ]


def test_a_loop_device_leads_to_the_frozen_file_system_of_its_file(graph: Graph) -> None:
    name = next(name for name, one in graph.nodes.items() if one.name == "dd")
    steps = []
    while graph.out[name]:
        name = graph.out[name][0].target
        steps.append((graph.nodes[name].kind, graph.nodes[name].name.partition(":")[0]))
    assert steps == [
        ("request", "loop1"), ("disk", "loop1"), ("task", "kworker/u4"), ("percpu_rw_semaphore", "s_writers of /outer"),
        ("filesystem", "/outer"),
    ]  # fmt: skip
    assert graph.nodes[name].note == "frozen"


def test_the_picture_keeps_to_80_columns(graph: Graph) -> None:
    lines = [line.text.rstrip() for line in picture(graph)]
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(" DEADLOCK") for line in lines) == 5
    assert any("page 0 of dm-0" in line and "suspended" in line for line in lines)


def test_a_server_that_does_not_answer_is_a_finding_with_what_it_does() -> None:
    findings = build(case_of(NAME).kernel, ["findings"])["findings"]
    texts = [one["text"] for one in findings if one["id"] == "io-stall"]
    assert any(text.startswith("the FUSE server of /fuse does not answer: u-fuse-s (PID ") for text in texts)
    assert any(text.startswith("the disk vdb does not answer") for text in texts)
