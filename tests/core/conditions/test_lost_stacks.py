"""Sleepers whose saved stack pointer is not in the dump: found by the one place where they can have left their CPU."""

import pytest

from builders.altered import Altered, stored
from cases import case_of
from oopscope.boot.attach import attach
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import task_stack
from oopscope.linux.task import task_structs
from oopscope.machine.x86_64 import guess as module
from oopscope.machine.x86_64.guess import guess_sleeper
from oopscope.stacks.of_task import running_on
from oopscope.stacks.tasks import stack

KERNELS = ("5.10-sysrq", "6.1-deadlock", "6.12-sysrq", "7.2-sysrq", "7.3-oom")


def sleeping(kernel: Kernel) -> list[int]:
    running = kernel.cached(running_on)
    return [a for a, t in kernel.cached(task_structs).items() if a not in running and t.stack]


@pytest.mark.parametrize("name", KERNELS)
def test_every_sleeper_is_found_and_marked(name: str) -> None:
    kernel = case_of(name).kernel
    found = 0
    for address in sleeping(kernel):
        guessed = guess_sleeper(kernel, task_stack(kernel, kernel.cached(task_structs)[address].stack))
        assert [f._replace(reliable=True) for f in guessed] == [
            f._replace(reliable=True) for f in stack(kernel, address)
        ]
        assert not any(f.reliable for f in guessed)
        found += bool(guessed)
    assert found > 30


def test_of_two_places_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = case_of("6.1-null").kernel
    base = kernel.cached(task_structs)[sleeping(kernel)[0]].stack
    starts = list(module._starts(kernel, task_stack(kernel, base), lambda _word: True))
    monkeypatch.setattr(module, "_starts", lambda *_args: iter(starts))
    assert guess_sleeper(kernel, task_stack(kernel, base)) == []


@pytest.mark.parametrize("member", ["thread.sp", "stack"])
def test_what_is_left_of_a_task_gives_its_stack(member: str) -> None:
    """The two members lie in pages of their own where a task_struct crosses a page's end."""
    whole = case_of("7.2-sysrq").kernel
    first, last = (whole.types.member("task_struct", name).offset for name in ("stack", "thread.sp"))
    at = whole.types.member("task_struct", member).offset
    address = next(a for a in sleeping(whole) if (a + first) >> 12 != (a + last) >> 12 and stack(whole, a))
    hole = whole.memory.translate(address + at) >> 12
    broken = attach(Altered(stored("7.2-sysrq.kdump"), {hole}), print)
    found = stack(broken, address)
    assert [f.address for f in found] == [f.address for f in stack(whole, address)]
    assert any(f.reliable for f in found) == (member == "stack")
