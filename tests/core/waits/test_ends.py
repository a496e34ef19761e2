"""The other end of files: locks of files, sockets whose peer is in the same process, on a guest of 6.1."""

from types import SimpleNamespace
from typing import Any

import pytest

from cases import case_of
from core.waits.made import made
from oopscope.linux.open_by import Opened, OpenFiles, opened_by
from oopscope.linux.task import task_structs
from oopscope.waits import ends
from oopscope.waits.build import wait_graph
from oopscope.waits.graph import Graph
from oopscope.waits.kinds.filelocks import _holders


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


@pytest.mark.parametrize(("flags", "holders"), [(1, [0xA]), (1024 | 1, [0xB]), (2, [0xB]), (32, [0xB])])
def test_a_process_holds_fcntl_locks_an_open_file_all_others(flags: int, holders: list[int]) -> None:
    own = SimpleNamespace(address=0xA, pid=5, tgid=5, exit_state=0, files=0x500)
    thread = SimpleNamespace(address=0xC, pid=6, tgid=5, exit_state=0, files=0x500)
    given: dict[Any, Any] = {task_structs: {0xA: own, 0xC: thread}, opened_by: OpenFiles({}, True, {0x900: [0xB, 0xB]})}
    kernel: Any = SimpleNamespace(cached=given.__getitem__)
    assert _holders(kernel, flags, 0x900, 0x500)[0] == holders
    assert _holders(kernel, flags, 0x901, 0x501)[0] == []  # of a client of a lock server, or closed since


@pytest.mark.parametrize("operations", ["pipefifo_fops", "pipeanon_fops"])
def test_pipes_of_both_kinds_have_ends(monkeypatch: pytest.MonkeyPatch, operations: str) -> None:
    members = {"file.f_op": 0, "file.private_data": 8, "file.f_mode": 16}
    kernel = made(monkeypatch, ends, members, {0x10: 0xF00, 0x18: 0xABC, 0x20: 1}, {0xF00: operations})
    monkeypatch.setattr(ends, "pipe_ends", lambda _kernel, pipe, _tgid, reads: (pipe, reads))
    found: Any = ends.ends_of(kernel, 0x10, 7)
    assert found == (0xABC, True)
    assert ends.ends_of(made(monkeypatch, ends, members, {0x10: 0, 0x18: 0}), 0x10, 7) is None


@pytest.mark.parametrize(("others", "note"), [([0xB], ""), ([], "only this process has it open")])
def test_an_eventfd_is_for_those_to_signal_who_have_it_open(
    monkeypatch: pytest.MonkeyPatch, others: list[int], note: str
) -> None:
    members = {"file.f_op": 0, "file.private_data": 8, "file.f_mode": 16}
    kernel = made(monkeypatch, ends, members, {0x10: 0xF00, 0x18: 0xABC}, {0xF00: "eventfd_fops"})
    entries = [Opened(task, 3, 0x10, 3, 0xF00) for task in (0xA, *others)]
    tasks = {0xA: SimpleNamespace(tgid=5), 0xB: SimpleNamespace(tgid=6)}
    kernel.cached = {opened_by: OpenFiles({0xABC: entries}, True, {}), task_structs: tasks}.__getitem__
    monkeypatch.setattr(ends, "opened_by", lambda kernel: kernel.cached(opened_by))
    found = ends.ends_of(kernel, 0x10, 5)
    assert found is not None and (found.tasks, found.name, found.note) == (tuple(others), "eventfd 0xabc", note)
    assert ends.event_ends(kernel, 0xABC, 7) is None  # of a process that has it not


def test_a_full_socket_is_for_those_to_empty_who_have_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {"socket.sk": 8, "sock.sk_socket": 0x10}
    words = {0x1010: 0x2000, 0x2008: 0x1000, 0x3010: 0x2000}  # the second names a socket that does not name it back
    kernel = made(monkeypatch, ends, members, words)
    monkeypatch.setattr(ends, "socket_at", lambda *_: SimpleNamespace(local="/run/log"))
    monkeypatch.setattr(ends, "opened", lambda *_: ([], [Opened(0xB, 3, 0, 3, 0)]))
    found = ends.receiver_ends(kernel, 0x1000, 5)
    assert found is not None and (found.tasks, found.name, found.note) == ((0xB,), "unix /run/log", "")
    assert ends.receiver_ends(kernel, 0x3000, 5) is None


@pytest.mark.parametrize(
    ("count", "note"), [(0, "nobody has its other end open"), (2, "its other end is open 2 times, ")]
)
def test_a_pipe_counts_the_ends_that_no_process_has(monkeypatch: pytest.MonkeyPatch, count: int, note: str) -> None:
    kernel = made(monkeypatch, ends, {"pipe_inode_info.writers": 8}, {0x2008: count})
    monkeypatch.setattr(ends, "opened", lambda *_: ([Opened(0xA, 0, 0, 1, 0)], []))
    monkeypatch.setattr(ends, "opened_by", lambda _kernel: OpenFiles({}, True, {}))
    found = ends.pipe_ends(kernel, 0x2000, 5, True)
    assert found is not None and found.tasks == () and found.note.startswith(note)


def test_a_connection_in_a_backlog_is_for_the_listener_to_accept(monkeypatch: pytest.MonkeyPatch) -> None:
    members = {
        "inet_connection_sock.icsk_accept_queue.rskq_accept_head": 0x400, "request_sock.dl_next": 8,
        "request_sock.sk": 16, "request_sock.__req_common.skc_listener": 24,
    }  # fmt: skip
    listener, first, second, other = 0x1000, 0x2000, 0x3000, 0x4000
    words = {
        listener + 0x400: first, first + 8: second, first + 16: 0xA, first + 24: listener,
        second + 8: other, second + 16: 0xB, second + 24: listener, other + 24: 0x9999,
    }  # fmt: skip
    bound = SimpleNamespace(row=lambda _at: SimpleNamespace(family=2, protocol=6, state=1, remote_port=99))
    kernel = made(monkeypatch, ends, members, words, bind=lambda _plan: bound)
    monkeypatch.setattr(ends, "_way", lambda _kernel, sk, _row: sk)
    found: Any = list(ends._not_accepted(kernel, listener))
    assert found == [0xA, 0xB]  # the last is another's
