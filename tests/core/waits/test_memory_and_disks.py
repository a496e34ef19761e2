"""Two guests of 6.1 whose tasks wait for memory, CPUs, sockets and events; for md, dm and servers that never answer."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Graph
from stored import STORE, put_together

MEMORY = {
    "n-cp-c": ("compaction", "of node 0", "linked", []),
    "n-tr-c": ("reclaim", "of node 0", "linked", ["kswapd0"]),
    "n-dr-c": ("work", "lru_add_drain_per_cpu", "linked", ["t-hog"]),
    "t-mig": ("stopper", "of CPU 2", "linked", ["2"]),
    "t-park": ("park", "of t-deaf", "linked", ["t-deaf"]),
    "n-ev-r": ("eventfd", "0xffff89ae13ed0ec0", "linked", []),
    "n-e2-r": ("eventfd", "0xffff89ae13e258c0", "linked", ["n-e2-w"]),
    "n-e3-r": ("epoll", "of eventfd 0xffff89ae13e25980", "linked", ["n-e3-w"]),
    "n-ac-s": ("socket", "tcp 0.0.0.0:99", "linked", []),
    "n-ua-s": ("socket", "unix /tmp/ua", "linked", []),
    "n-ud-r": ("socket", "udp 0.0.0.0:98", "linked", []),
    "n-us-s": ("socket", "unix /tmp/us", "linked", ["n-us-r"]),
    "n-ul-c": ("socket", "unix /tmp/ul", "linked", ["n-ul-r"]),
}
DISKS = {
    "n-md-r": ("page", "256 of md0", "linked", ["md0"]),
    "n-md-d": ("disk", "md0", "inferred", ["dm-0"]),
    "n-md-w": ("array", "md0's superblock", "linked", ["md0_raid1"]),
    "md0_raid1": ("disk", "md0", "linked", ["dm-0"]),
    "n-dm-d": ("disk", "dm-0", "linked", []),
    "n-nfs-c": ("rpc", "a call to 127.0.0.1", "linked", ["127.0.0.1"]),
    "n-nf4-c": ("rpc", "a call to 127.0.0.1", "linked", ["127.0.0.1"]),
}
CASES = {"6.1-third": MEMORY, "6.1-nfs": DISKS}


@cache
def graph(name: str) -> Graph:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.kdump"
        path.write_bytes(put_together(STORE / "hangs" / f"{name}.patch", STORE))
        return wait_graph(open_kernel([path]))  # whose file stays open


@pytest.mark.parametrize(("name", "comm"), [(name, comm) for name, wanted in CASES.items() for comm in wanted])
def test_each_waits_for_what_it_was_made_to(name: str, comm: str) -> None:
    found = graph(name)
    (edge,) = (e for e in found.edges if e.kind == "waits_for" and found.nodes[e.source].name == comm)
    thing = found.nodes[edge.target]
    held = [found.nodes[one.target].name for one in found.out[edge.target]]
    assert (thing.kind, thing.name, edge.basis, held) == CASES[name][comm]


@pytest.mark.parametrize("name", CASES)
def test_nobody_else_waits_but_for_children(name: str) -> None:
    found = graph(name)
    others = [edge for edge in found.edges if found.nodes[edge.source].name not in CASES[name]]
    assert {found.nodes[edge.target].kind for edge in others if edge.kind == "waits_for"} == {"child"}
    assert found.circles == ()


def test_who_is_ready_but_not_let_on_its_cpu_is_said_to_be() -> None:
    nodes = {node.name: node for node in graph("6.1-third").nodes.values()}
    assert nodes["kswapd0"].note == "R, is ready to run on CPU 2, which runs 141 t-hog"
    assert nodes["t-hog"].note == "R, runs on CPU 2 in lab_spin [labthird]"


def test_the_disk_at_the_end_is_suspended() -> None:
    nodes = {node.name: node for node in graph("6.1-nfs").nodes.values()}
    assert nodes["dm-0"].note == "suspended"
    servers = [node.id for node in graph("6.1-nfs").nodes.values() if node.kind == "server"]
    held = [[graph("6.1-nfs").nodes[one.target].name for one in graph("6.1-nfs").out[at]] for at in servers]
    assert sorted(held) == [[], ["n-nfs-s"]]  # the second connection was not accepted yet
