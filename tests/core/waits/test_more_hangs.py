"""A guest of 6.1 that hangs in further ways: each edge against what was made to happen in it.

A work behind its queue's turn and one behind a worker that spins, a module that is loaded twice, a slow disk under a
writer, groups frozen in v1 and v2, locks of files, TCP, poll, epoll, a tracer, RCU behind the worker that spins.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Graph
from stored import STORE, put_together

NAME = "6.1-more"
WANTED = {
    "m-or-w": ("work", "second [labmorf]", "linked", ["kworker/u4:0"]),
    "m-po-w": ("work", "never [labmorf]", "linked", ["kworker/1:2"]),
    "n-re-c": ("rcu", "grace period", "linked", ["kworker/1:2"]),
    "n-wr-d": ("writeback", "to /slow", "inferred", ["/slow"]),
    "n-mod-b": ("module", "labmore", "inferred", ["n-mod-a"]),
    "n-mod-c": ("module", "labmore", "inferred", ["n-mod-a"]),
    "n-tcp-c": ("socket", "tcp 127.0.0.1:34370 to 127.0.0.1:7777", "linked", ["n-tcp-s"]),
    "n-fl-h": ("file lock", "of inode 2 of /tmp", "linked", ["n-fl-w"]),
    "n-fc-w": ("file lock", "of inode 3 of /tmp", "linked", ["n-fc-h"]),
    "n-ev-r": ("eventfd", "0xffff8b4d42ccbc00", "linked", []),
    "n-ac-s": ("socket", "tcp 0.0.0.0:99", "linked", []),
    "n-tr-d": ("ptrace", "its tracer", "recorded", ["n-tr-t"]),
    "n-fz-w": ("freezer", "of cgroup /lab2", "recorded", []),
    "n-fz-1": ("freezer", "of cgroup /lab1", "recorded", []),
    "n-ep-r": ("epoll", "of pipe 0xffff8b4d413ff480", "linked", ["n-ep-w"]),
    "n-po-r": ("poll", "of pipe 0xffff8b4d413ff780", "linked", ["n-po-w"]),
}


@cache
def graph() -> Graph:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{NAME}.kdump"
        path.write_bytes(put_together(STORE / "hangs" / f"{NAME}.patch", STORE))
        return wait_graph(open_kernel([path]))  # whose file stays open


@pytest.mark.parametrize("comm", WANTED)
def test_each_waits_for_what_it_was_made_to(comm: str) -> None:
    (edge,) = (e for e in graph().edges if e.kind == "waits_for" and graph().nodes[e.source].name == comm)
    thing = graph().nodes[edge.target]
    held = [graph().nodes[one.target].name for one in graph().out[edge.target]]
    assert (thing.kind, thing.name, edge.basis, held) == WANTED[comm]


def test_nobody_else_waits_for_more_than_disks_pipes_and_children() -> None:
    others = {
        graph().nodes[edge.target].kind
        for edge in graph().edges
        if edge.kind == "waits_for" and graph().nodes[edge.source].name not in WANTED
    }
    assert others == {"request", "pipe", "child"}
    assert graph().circles == ()


def test_who_holds_up_most_stands_first() -> None:
    (spins,) = (name for name, node in graph().nodes.items() if node.name == "kworker/1:2")
    assert sorted(graph().nodes[name].name for name in graph().behind(spins)) == ["m-po-w", "n-re-c"]
    assert graph().nodes[spins].note == "R, runs on CPU 1 in lab_spin [labmorf]"
