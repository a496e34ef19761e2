"""Who waits for RCU: a grace period on a real guest, callbacks by the completion of rcu_barrier()."""

from types import SimpleNamespace
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Claim, Node
from oopscope.waits.kinds import rcu
from stored import CACHE, STORE, whole

DEATHS = whole(STORE / "deaths", CACHE.with_name(f"{CACHE.name}-deaths"))
STATE, AT = 0xFFFFFFFF82000000, 0x400


def test_a_reader_that_sleeps_holds_up_who_waits_for_a_grace_period() -> None:
    graph = wait_graph(open_kernel([DEATHS / "6.1-rcusleep.kdump"]))
    (edge,) = (edge for edge in graph.edges if graph.nodes[edge.target].kind == "rcu")
    assert (graph.nodes[edge.source].name, edge.basis) == ("kworker/0:1", "linked")
    assert [graph.nodes[held.target].name for held in graph.out[edge.target]] == ["qa-rcusleep"]


@pytest.mark.parametrize("running", [True, False])
def test_callbacks_wait_for_the_grace_period_that_is_in_progress(
    monkeypatch: pytest.MonkeyPatch, running: bool
) -> None:
    period, reader = Node("rcu:normal", "rcu", "grace period"), Node("task:9", "task", "reader", 9, 9)
    held = [Claim(period, reader, "held_by", "recorded")] if running else []
    monkeypatch.setattr(rcu, "offset", lambda _kernel, _struct, _name: AT)
    monkeypatch.setattr(rcu, "grace_period", lambda _kernel: (period, held))
    monkeypatch.setattr(rcu, "task_node", lambda _kernel, address: Node("task:7", "task", "waiter", address, 7))
    kernel: Any = SimpleNamespace(find_symbol=lambda _name: STATE)
    one: Any = SimpleNamespace(address=0x7000, since=2.0)
    assert list(rcu.barrier(kernel, one, STATE)) == []
    found = [(claim.source.name, claim.target.name, claim.basis) for claim in rcu.barrier(kernel, one, STATE + AT)]
    onward = [("barrier", "grace period", "inferred"), ("grace period", "reader", "recorded")] if running else []
    assert found == [("waiter", "barrier", "linked"), *onward]
