"""The lock that a task's own record names: read by its kind, held against what its stack tells."""

from types import SimpleNamespace
from typing import Any

import pytest

from oopscope.kernel.once import reader
from oopscope.waits import recorded
from oopscope.waits.recorded import Said, checked, said
from oopscope.waits.wait import Wait

TASK, LOCK = 0xFFFF888000001000, 0xFFFF888000002000


class Problems(list[str]):
    def add(self, _section: str, text: str, _address: int) -> None:
        self.append(text)


def kernel(monkeypatch: pytest.MonkeyPatch, pointer: str = "struct mutex *", **words: int) -> Any:
    places = {name: 8 * (at + 1) for at, name in enumerate(words)}
    monkeypatch.setattr(recorded, "offset", lambda _kernel, _struct, name: places.get(name))
    memory = {TASK + places[name]: value for name, value in words.items()}
    one: Any = SimpleNamespace(
        machine=SimpleNamespace(kernel_from=lambda _kernel: 1 << 63),
        memory=SimpleNamespace(word=memory.__getitem__, word_size=8),
        problems=Problems(),
        types=SimpleNamespace(
            btf=SimpleNamespace(type_name=lambda _type: pointer), member=lambda *_: SimpleNamespace(type=7)
        ),
        cached=lambda read: reader(read)(one),
    )
    return one


def wait(kind: str, lock: int) -> Wait:
    return Wait(7, "w", kind, lock, None, None, None, False, TASK, None)


def test_a_kernel_without_records_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(kernel(monkeypatch), TASK) is None
    assert said(kernel(monkeypatch, blocked_on=0, blocker=0), TASK) is None


def test_a_waiter_of_a_debug_kernel_is_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    one = kernel(monkeypatch, "struct mutex_waiter *", blocked_on=LOCK)
    assert said(one, TASK) is None
    assert checked(one, wait("mutex", LOCK + 64)) == ""
    assert one.problems == []


@pytest.mark.parametrize(("low", "kind"), list(enumerate(recorded.TYPES)))
def test_the_low_bits_of_blocker_are_the_kind(monkeypatch: pytest.MonkeyPatch, low: int, kind: str) -> None:
    assert said(kernel(monkeypatch, blocked_on=0, blocker=LOCK | low), TASK) == Said(kind, LOCK, "task_struct.blocker")


def test_what_agrees_is_added_and_what_does_not_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    one = kernel(monkeypatch, blocked_on=LOCK)
    assert checked(one, wait("mutex", LOCK)) == "; task_struct.blocked_on names it too"
    assert one.problems == []
    assert "but task_struct.blocked_on names the mutex" in checked(one, wait("mutex", LOCK + 64))
    assert len(one.problems) == 1
    assert checked(one, wait("percpu_rw_semaphore", LOCK)) == ""
