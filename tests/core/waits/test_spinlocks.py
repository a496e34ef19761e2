"""CPUs that spin for spinlocks: a real guest of two locks taken in two orders, and what a lock's word says."""

from cases import case_of
from oopscope.boot.attach import open_kernel
from oopscope.report.build import build
from oopscope.report.waits import picture
from oopscope.subsystems.cards.lock import find
from oopscope.waits.build import wait_graph
from oopscope.waits.nodes import lock_name
from oopscope.waits.spinning import Place, tail
from stored import CACHE, STORE, whole

DEATHS = whole(STORE / "deaths", CACHE.with_name(f"{CACHE.name}-deaths"))


def test_two_cpus_that_spin_for_each_others_lock() -> None:
    graph = wait_graph(open_kernel([DEATHS / "6.1-spinabba.kdump"]))
    spun = [edge for edge in graph.edges if graph.nodes[edge.target].kind == "spinlock"]
    assert {(graph.nodes[e.source].name, graph.nodes[e.target].name, e.basis) for e in spun} == {
        ("qa-spin-ab", "sb [qafault]", "inferred"),
        ("qa-spin-ba", "sa [qafault]", "inferred"),
    }
    held = {
        (graph.nodes[e.source].name, graph.nodes[e.target].name, e.basis) for e in graph.edges if e.kind == "held_by"
    }
    assert {("sb [qafault]", "qa-spin-ba", "likely"), ("sa [qafault]", "qa-spin-ab", "likely")} <= held
    assert graph.circles == ()  # nothing records who holds a spinlock: that is no proof
    text = [line.text for line in picture(graph)]
    assert "held by 241 qa-spin-ba (R) (likely)" in text[0]
    assert "and so on in a circle" in text[4]


def test_a_locks_word_names_the_last_of_its_queue() -> None:
    assert tail(0x101) is None
    assert tail(3 << 18 | 1 << 16 | 1) == Place(2, 1)


def test_a_soft_lockup_names_the_lock_and_the_circle() -> None:
    report = build(open_kernel([DEATHS / "6.1-spinabba.kdump"]), ["verdict", "findings"])
    texts = [piece["text"] for piece in report["verdict"]["evidence"]]
    (busy,) = (finding["text"] for finding in report["findings"] if finding["id"] == "busy-cpu")
    assert "where it waits for the spinlock sa [qafault] that qa-spin-ab (PID 240) likely holds" in busy
    assert any("waits for the spinlock sa [qafault] that qa-spin-ab (PID 240) likely holds" in text for text in texts)
    assert any(text.startswith("likely a deadlock: qa-spin-ab (PID 240) waits for the spinlock sb") for text in texts)


def test_a_spinlock_has_a_card_of_who_spins() -> None:
    kernel = open_kernel([DEATHS / "6.1-spinabba.kdump"])
    (lock,) = (node for node in wait_graph(kernel).nodes.values() if node.name == "sa [qafault]")
    (wait,) = find(kernel, lock.address or 0)
    assert (wait.comm, wait.kind, wait.owner_pid) == ("qa-spin-ba", "spinlock", None)


def test_a_lock_of_a_cpus_own_is_called_so() -> None:
    kernel = case_of("6.1-null").kernel
    queue = kernel.per_cpu("runqueues", 1)
    assert lock_name(kernel, "spinlock", queue) == "runqueues of CPU 1"
    assert lock_name(kernel, "spinlock", queue + 0x100) == "runqueues+0x100 of CPU 1"
    assert lock_name(kernel, "spinlock", 0xFFFF888000000008) == "0xffff888000000008"
