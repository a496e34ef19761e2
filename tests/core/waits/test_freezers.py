"""Who is frozen: by a group of v2 that is frozen itself or below one, by one of v1, and who is not."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import made, sleeper, told
from oopscope.linux.cgroup import cgroups
from oopscope.waits.kinds import freezers

MEMBERS = {
    "task_struct.cgroups": 0, "css_set.dfl_cgrp": 0, "css_set.subsys": 16,
    "cgroup.freezer.e_freeze": 8, "cgroup.freezer.freeze": 16, "cgroup.self.parent": 24, "freezer.state": 16,
    "cgroup_subsys_state.parent": 0, "cgroup_subsys_state.cgroup": 8,
}  # fmt: skip
TASK, SET, GROUP, PARENT, CSS, ABOVE = 0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000
TRAP = ("schedule", "get_signal", "arch_do_signal_or_restart")
COLD = ("schedule", "__refrigerator", "get_signal")


def claims(monkeypatch: pytest.MonkeyPatch, words: dict[int, int], functions: tuple[str, ...], state: int = 1) -> Any:
    one = sleeper(
        TASK, functions, task=SimpleNamespace(state=state, flags=words.get(TASK + 16, 0), jobctl=words[TASK + 8])
    )
    monkeypatch.setattr(freezers, "sleepers", lambda _kernel: [one])
    rows = [SimpleNamespace(address=GROUP, path="/a"), SimpleNamespace(address=PARENT, path="/above")]
    types = SimpleNamespace(enum=lambda _name: {"freezer_cgrp_id": 1})
    kernel = made(monkeypatch, freezers, MEMBERS, words, types=types, cached={cgroups: rows}.__getitem__)
    return told(freezers.edges(kernel))


def unified(own: int, above: int, effective: int = 1) -> dict[int, int]:
    group = {GROUP + 8: effective, GROUP + 16: own, GROUP + 24: PARENT, PARENT + 16: above, PARENT + 24: 0}
    return {TASK: SET, TASK + 8: 1 << 23, SET: GROUP, SET + 24: 0, **group}


def test_a_group_of_v2_that_is_frozen_or_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert claims(monkeypatch, unified(1, 0), TRAP) == [("0x1000", "waits_for", "of cgroup /a")]
    assert claims(monkeypatch, unified(0, 1), TRAP) == [("0x1000", "waits_for", "of cgroup /above")]


def test_who_is_to_be_frozen_but_sleeps_elsewhere_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert claims(monkeypatch, unified(1, 0), ("schedule", "io_schedule", "folio_wait_bit")) == []
    assert claims(monkeypatch, unified(0, 0, 0), TRAP) == []


@pytest.mark.parametrize(("own", "above", "path"), [(2, 0, "/a"), (4, 2, "/above"), (4, 4, "")])
def test_a_freezer_of_v1(monkeypatch: pytest.MonkeyPatch, own: int, above: int, path: str) -> None:
    words = {
        TASK: SET, TASK + 8: 0, SET: GROUP, GROUP + 8: 0, SET + 24: CSS, CSS: ABOVE, CSS + 8: GROUP, CSS + 16: own,
        ABOVE: 0, ABOVE + 8: PARENT, ABOVE + 16: above,
    }  # fmt: skip
    wanted = [("0x1000", "waits_for", f"of cgroup {path}")] if path else []
    assert claims(monkeypatch, words, ("schedule", "do_nanosleep"), 0x8000) == wanted  # frozen where it slept
    kernel_of_before = {**words, TASK + 16: 1 << 16}  # PF_FROZEN
    assert claims(monkeypatch, kernel_of_before, COLD) == wanted
    assert claims(monkeypatch, kernel_of_before, TRAP) == []
