"""A task's rights, limits, namespaces, signals, system call and what it used, against what the guest's programs did."""

from typing import Any

from cases import case_of
from oopscope.inspect.task_rights import limits, namespaces_of
from oopscope.inspect.task_signals import name_of, signals_of
from oopscope.kernel.fact import flat
from oopscope.linux.task import task_structs
from oopscope.subsystems.cards import Card, card

LIFE = "6.1-life"


def pid_of(comm: bytes) -> int:
    return next(task.pid for task in case_of(LIFE).kernel.cached(task_structs).values() if task.comm == comm)


def whole(comm: bytes) -> Card:
    return card(case_of(LIFE).kernel, "task", pid_of(comm))


def part(comm: bytes, key: str) -> Any:
    return next((one for one in whole(comm).sections if one.key == key), None)


def address_of(comm: bytes) -> int:
    return next(task.address for task in case_of(LIFE).kernel.cached(task_structs).values() if task.comm == comm)


def test_the_system_call_with_its_descriptor() -> None:
    facts = flat(part(b"life-epoll", "call").facts)
    assert facts["syscall"].value == "epoll_wait"
    assert facts["number"].value == 232
    assert facts["file"].value == "anon_inode:[eventpoll]"
    assert part(b"kthreadd", "call") is None


def test_rights_of_root_and_of_a_kernel_thread() -> None:
    facts = flat(part(b"life-epoll", "rights").facts)
    assert (facts["real_uid"].value, facts["effective_capabilities"].value) == (0, ("all",))
    assert facts["seccomp"].value == "none"
    assert flat(part(b"kthreadd", "rights").facts)["login_uid"].value == "not set"


def test_limits_as_the_shell_set_them() -> None:
    tasks = case_of(LIFE).kernel.cached(task_structs).values()
    found = [limits(case_of(LIFE).kernel, task.address) for task in tasks if task.comm == b"sleep"]
    files = {next(row for row in rows if row.name == "open files").soft for rows in found}
    cores = {next(row for row in rows if row.name == "core file").hard for rows in found}
    assert "77" in files
    assert {"0", "unlimited"} <= cores


def test_a_namespace_of_its_own() -> None:
    kernel = case_of(LIFE).kernel
    whose = {space.kind: space.whose for space in namespaces_of(kernel, address_of(b"life-netns"))}
    assert [kind for kind, word in whose.items() if word != "PID 1's"] == ["net"]


def test_signals_that_a_shell_traps() -> None:
    kernel = case_of(LIFE).kernel
    tasks = kernel.cached(task_structs).values()
    found = [
        {row.name: row.action for row in signals_of(kernel, task.address)}
        for task in tasks
        if task.comm in (b"sh", b"sleep")
    ]
    assert any(actions.get("SIGTERM") == "ignored" for actions in found)
    assert name_of(33) == "real-time 1"


def test_what_it_used() -> None:
    facts = flat(part(b"life-epoll", "used").facts)
    assert facts["rchar"].value > 0
    assert facts["timer_slack_ns"].value == 50_000
    assert facts["cpu_time"].value > 0


def test_environment_needs_the_program_s_pages() -> None:
    section = part(b"life-epoll", "environment")
    assert section.lines == ()
    assert section.why == "pages of programs are not in the dump"
    assert part(b"kthreadd", "environment") is None
