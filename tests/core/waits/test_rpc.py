"""Calls that wait for an answer: the procedure, the host, how often it was sent, and what is no rpc_task."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.waits import servers
from oopscope.waits.ends import Ends
from oopscope.waits.kinds import rpc

MEMBERS = {
    "wait_bit_queue_entry.wq_entry.entry": 0x18, "wait_bit_queue_entry.key.flags": 0x40, "rpc_task.tk_runstate": 0x30,
    "rpc_task.tk_client": 0x38, "rpc_task.tk_rqstp": 0x40, "rpc_task.tk_msg.rpc_proc": 0x48, "rpc_rqst.rq_task": 0,
    "rpc_rqst.rq_ntrans": 8, "rpc_procinfo.p_name": 0x10, "rpc_clnt.cl_xprt": 8, "rpc_xprt.servername": 0,
    "sock_xprt.sock": 0x10,
}  # fmt: skip
CALL, REQUEST, CLIENT, HOST, PROCEDURE = (TOP + number * 0x1000 for number in range(1, 6))
TASK, ENTRY = 0x7000, 0x7100
WORDS = {
    CALL + 0x38: CLIENT, CALL + 0x40: REQUEST, CALL + 0x48: PROCEDURE, REQUEST: CALL, REQUEST + 8: 3, CLIENT + 8: HOST,
    HOST: HOST + 0x100, HOST + 0x10: 0x99, PROCEDURE + 0x10: PROCEDURE + 0x100, ENTRY - 0x18 + 0x40: CALL + 0x30,
}  # fmt: skip
TEXTS = {HOST + 0x100: b"filer", PROCEDURE + 0x100: b"GETATTR"}


def claims(monkeypatch: pytest.MonkeyPatch, words: dict[int, int], peers: tuple[int, ...] = ()) -> Any:
    kernel = made(monkeypatch, rpc, MEMBERS, words, texts=TEXTS)
    made(monkeypatch, servers, MEMBERS, words)
    monkeypatch.setattr(servers, "socket_ends", lambda *_: Ends(peers, "tcp", "it has the other end"))
    one = sleeper(TASK, ("schedule", "rpc_wait_bit_killable", "__rpc_execute"), entries=(SimpleNamespace(node=ENTRY),))
    one.word = kernel.memory.word
    monkeypatch.setattr(rpc, "unlocked", lambda _kernel: [one])
    found = list(rpc.edges(kernel))
    return told(found), [claim.target.note for claim in found[:1]]


def test_a_call_is_named_with_its_host_and_how_often_it_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, notes = claims(monkeypatch, WORDS)
    assert edges == [("0x7000", "waits_for", "GETATTR to filer"), ("GETATTR to filer", "behind", "filer")]
    assert notes == ["sent 3 times, no answer"]


def test_a_server_on_this_machine_is_who_has_the_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, _ = claims(monkeypatch, WORDS, (0x55,))
    assert edges[2:] == [("filer", "held_by", "0x55")]


def test_a_request_that_names_another_task_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert claims(monkeypatch, {**WORDS, REQUEST: CALL + 8}) == ([], [])


def test_the_program_that_is_called_is_named_where_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"rpc_clnt.cl_program": 0x20, "rpc_program.name": 0}
    program = TOP + 0x9000
    monkeypatch.setitem(TEXTS, program + 0x100, b"nfs")
    for name, at in known.items():
        monkeypatch.setitem(MEMBERS, name, at)
    words = {**WORDS, CLIENT + 0x20: program, program: program + 0x100}
    assert claims(monkeypatch, words)[0][0] == ("0x7000", "waits_for", "nfs GETATTR to filer")
    assert claims(monkeypatch, {**words, PROCEDURE + 0x10: 0})[0][0][2] == "nfs call to filer"
