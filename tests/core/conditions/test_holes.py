"""Dumps with pages missing: the tasks around the hole are found all the same, and what is lost is said."""

import pytest

from builders.altered import Altered, stored
from oopscope.boot.attach import attach
from oopscope.kernel.kernel import Kernel
from oopscope.linux.mount import mounts_of
from oopscope.linux.path import MOUNT
from oopscope.linux.proc_mounts import all_mounts, first_namespace
from oopscope.linux.task import plausible, task_structs
from oopscope.stacks.cpus import all_cpus
from oopscope.stacks.tasks import Task, all_tasks


def whole(name: str) -> Kernel:
    return attach(stored(name), print)


def holed(name: str, addresses: list[int], first: int = 0) -> Kernel:
    """Open a dump without the pages of the task_structs at some addresses, from the first, second ... of each on."""
    kernel, holes = whole(name), set[int]()
    size = kernel.types.sizeof("task_struct")
    for address in addresses:
        pages = range(address & -4096, address + size, 4096)
        holes |= {kernel.memory.translate(page) >> 12 for page in pages[first:]}
    return without(name, holes)


def without(name: str, holes: set[int]) -> Kernel:
    """Open a dump without some page frames."""
    return attach(Altered(stored(name), holes), print)


def sleepers(kernel: Kernel) -> list[Task]:
    return [t for t in all_tasks(kernel) if t.pid and t.pid > 1 and t.state != "R"]


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["7.2-sysrq.kdump", "6.12-sysrq.kdump", "6.1-null.kdump", "5.10-sysrq.kdump"])
def test_tasks_around_a_hole(name: str) -> None:
    kernel = whole(name)
    every = {t.pid for t in all_tasks(kernel)}
    gone = [t.address for t in sleepers(kernel)[3:20:4]]
    broken = holed(name, gone)
    rows = all_tasks(broken)
    assert {t.pid for t in rows} == every
    lost = [t for t in rows if t.address in gone]
    assert len(lost) == len(gone)
    assert all(t.comm is None and t.state is None for t in lost)
    said = [p.message for p in broken.problems if p.section == "tasks"]
    assert any("task_structs are not" in text for text in said)
    assert len(said) < 5


def test_a_part_of_a_task() -> None:
    """A task_struct spans pages: what lies in those that are there is shown."""
    name = "7.2-sysrq.kdump"
    tasks = {t.address: t for t in sleepers(whole(name))}
    gone = list(tasks)[2:9:3]
    partly = [t for t in all_tasks(holed(name, gone, 1)) if t.address in gone]
    assert len(partly) == len(gone)
    for task in partly:
        known = tasks[task.address]
        assert task.pid == known.pid
        assert task.comm in (None, known.comm)
        assert task.state in (None, known.state)


def test_a_cpu_whose_task_is_not_in_the_dump() -> None:
    name = "7.2-sysrq.kdump"
    cpu = all_cpus(whole(name))[0]
    assert cpu.task and cpu.frames
    broken = all_cpus(holed(name, [cpu.task]))[0]
    assert broken.task == cpu.task
    assert broken.pid == cpu.pid
    assert broken.comm is None
    assert [f.symbol for f in broken.frames] == [f.symbol for f in cpu.frames]


def test_mounts_around_a_hole() -> None:
    """Where names are gone, source and type are left; the mounts beyond a hole are found by other links."""
    name = "7.2-sysrq.kdump"
    kernel = whole(name)
    namespace, _root = first_namespace(kernel)
    addresses = list(mounts_of(kernel, namespace))
    rows = all_mounts(kernel)
    dentry = kernel.bind(MOUNT).row(addresses[2]).mountpoint
    broken = without(name, {kernel.memory.translate(dentry) >> 12})
    assert [(m.source, m.fstype) for m in all_mounts(broken)] == [(m.source, m.fstype) for m in rows]
    assert any(m.target is None for m in all_mounts(broken))
    top = kernel.memory.translate(addresses[0]) >> 12
    left = [m for m in addresses if kernel.memory.translate(m) >> 12 != top]
    assert len(all_mounts(without(name, {top}))) == len(left)


def test_a_zombie_has_no_stack() -> None:
    """release_task_stack() leaves NULL; what never died must have one."""
    kernel = whole("7.2-sysrq.kdump")
    task = next(iter(kernel.cached(task_structs).values()))
    top = kernel.machine.kernel_from(kernel)
    assert plausible(task, top)
    assert not plausible(task._replace(stack=0), top)
    assert plausible(task._replace(stack=0, exit_state=32), top)


@pytest.mark.parametrize("name", ["7.2-sysrq.kdump", "6.1-null.kdump"])
@pytest.mark.parametrize("member", ["fs", "nsproxy"])
def test_one_page_that_is_missing_does_not_lose_all_mounts(name: str, member: str) -> None:
    """What PID 1 no longer tells of its namespace and root, another task of the same does."""
    kernel = whole(name)
    task = next(t.address for t in task_structs(kernel).values() if t.pid == 1)
    if not kernel.memory.word(task + kernel.types.member("task_struct", member).offset):
        task = kernel.symbol("init_task")
    at = kernel.memory.word(task + kernel.types.member("task_struct", member).offset)
    broken = without(name, {kernel.memory.translate(at) >> 12})
    assert all_mounts(broken), [p for p in broken.problems if p.section == "mounts"]
