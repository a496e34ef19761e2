"""Who waits until a module is loaded: by its name in module_wq, or by the same file's first load."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.waits.kinds import modules

MEMBERS = {
    "module.name": 0x18, "idempotent.complete": 0x18, "idempotent.cookie": 0, "idempotent.entry": 8,
}  # fmt: skip
MODULE, COPY, QUEUE, COOKIE = TOP + 0x1000, TOP + 0x2000, TOP + 0x3000, TOP + 0x4000
FIRST, SECOND = TOP + 0x5000, TOP + 0x6000  # struct idempotent
TEXTS = {MODULE + 0x18: b"lab", COPY + 0x18: b"lab"}
LOADER = sleeper(0x8000, ("schedule", "msleep", "lab_init", "do_one_initcall", "do_init_module"), words=(MODULE,))
WAITS = ("schedule", "add_unformed_module", "load_module", "__do_sys_init_module")


def claims(monkeypatch: pytest.MonkeyPatch, one: Any, words: dict[int, int], loading: dict[str, int]) -> Any:
    kernel = made(monkeypatch, modules, MEMBERS, words, {QUEUE: "module_wq"}, TEXTS)
    monkeypatch.setattr(modules, "unlocked", lambda _kernel: [one])
    monkeypatch.setattr(modules, "sleepers", lambda _kernel: [one, LOADER])
    monkeypatch.setattr(modules, "heads_of", lambda one: (entry.node for entry in one.entries))
    monkeypatch.setattr(modules, "completion_of", lambda sleeper: sleeper.completion)
    monkeypatch.setattr(modules, "_loading", lambda _kernel: loading)
    monkeypatch.setattr(modules, "_on_whose_stack", lambda _kernel, at: 0x8000 if at == FIRST + 8 else 0x7000)
    return told(modules.edges(kernel))


def test_by_the_name_of_a_module_that_is_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = (SimpleNamespace(node=QUEUE),)
    one = sleeper(0x7000, WAITS, entries=entries, words=(3, TOP, COPY), completion=None)
    wanted = [("0x7000", "waits_for", "lab"), ("lab", "held_by", "0x8000")]
    assert claims(monkeypatch, one, {}, {"lab": MODULE}) == wanted
    assert claims(monkeypatch, one, {}, {"other": MODULE}) == []


def test_the_second_load_of_a_file_waits_for_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    done = SECOND + 0x18
    one = sleeper(0x7000, ("schedule", "wait_for_completion", "idempotent_init_module"), completion=done, stack=(done,))
    chain = {SECOND: COOKIE, SECOND + 8: FIRST + 8, FIRST: COOKIE, FIRST + 8: 0}
    wanted = [("0x7000", "waits_for", "lab"), ("lab", "held_by", "0x8000")]
    assert claims(monkeypatch, one, chain, {"lab": MODULE}) == wanted
    assert claims(monkeypatch, one, {**chain, FIRST: COOKIE + 8}, {"lab": MODULE}) == []
