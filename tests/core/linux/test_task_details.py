"""One task's files, mappings and facts, against what its guest said of /proc, and where there is nothing to read."""

from typing import Any

import pytest

from cases import case_of
from oopscope.inspect.task_facts import task_facts
from oopscope.kernel.fact import flat
from oopscope.linux.file import flag_words
from oopscope.linux.task import task_structs
from oopscope.linux.task_files import task_files
from oopscope.linux.task_memory import task_memory

TOLD = ["5.10-sysrq", "6.1-null", "7.2-sysrq"]  # those whose accounts have fds and maps


@pytest.fixture(params=TOLD)
def told(request: pytest.FixtureRequest) -> Any:
    return case_of(request.param)


def task_of(case: Any, pid: int) -> Any:
    return next(t.address for t in case.kernel.cached(task_structs).values() if t.pid == pid and pid)


def by_comm(case: Any, comm: str | bytes) -> Any:
    return next(t.address for t in case.kernel.cached(task_structs).values() if t.comm == comm)


def facts_of(case: Any, address: int) -> Any:
    return values(task_facts(case.kernel, address).facts)


def values(facts: Any) -> Any:
    return {key: fact.value for key, fact in flat(facts).items()}


def test_open_files(told: Any) -> None:
    """PID 1 opened and closed some in its last second; all others slept."""
    checked = 0
    for pid, files in told.truth.files.items():
        if pid == 1 or pid not in told.tasks:
            continue
        found = task_files(told.kernel, task_of(told, pid))
        assert {file.fd: file.path for file in found.files} == files
        assert not found.why
        assert found.exe == "/bin/busybox"
        assert found.root == "/"
        checked += len(files)
    assert checked > 15


def test_kinds_flags_and_sockets(told: Any) -> None:
    nc = task_files(told.kernel, by_comm(told, b"nc"))
    socket = nc.files[3]
    assert (socket.kind, socket.note) == ("socket", "inet6 tcp [::]:7777 (listening)")
    assert "O_CLOEXEC" in socket.flags
    null = nc.files[0]
    assert (null.kind, null.path, null.note, null.flags) == ("char device", "/dev/null", "1:3", "O_RDONLY")
    assert nc.files[1].flags == "O_WRONLY"
    tail = task_files(told.kernel, by_comm(told, b"tail")).files[3]
    assert (tail.kind, tail.path) == ("file", "/mnt/data/blob")
    assert tail.size == tail.position == 24 * 65536
    icmp = task_files(told.kernel, by_comm(told, b"ping")).files[0]
    assert icmp.note.startswith("inet icmp 0.0.0.0")
    assert "/mnt/data" in {task_files(told.kernel, task_of(told, pid)).cwd for pid in told.truth.files}


def test_mappings(told: Any) -> None:
    checked = 0
    for pid, lines in told.truth.maps.items():
        if pid not in told.tasks:
            continue
        found = task_memory(told.kernel, task_of(told, pid))
        assert {(a.start, a.end, a.perms, a.offset, a.name or "") for a in found.areas} == lines
        assert found.area_count == len(lines)
        sizes = {size.name: size.bytes for size in found.sizes}
        assert (
            sizes["Resident"] == told.tasks[pid]["rss_bytes"] == sum(map(sizes.get, ("anonymous", "files", "shared")))
        )
        assert sizes["Virtual"] == told.tasks[pid]["vsz_bytes"]
        assert found.arguments is None
        assert found.arguments_why == "pages of programs are not in the dump"
        checked += len(lines)
    assert checked > 60


def test_facts(told: Any) -> None:
    init = task_facts(told.kernel, task_of(told, 1))
    facts = values(init.facts)
    assert None not in facts.values()
    assert (facts["policy"], facts["nice"]) == ("normal", 0)
    assert (facts["capabilities"], facts["cpus_allowed"]) == (("all",), "all")
    assert (facts["uid"], facts["gid"], "euid" in facts) == (0, 0, False)
    assert facts["voluntary_switches"] > 0 and facts["minor_faults"] > 0
    assert facts["cgroup"] == "/"
    assert facts["namespaces"] == ()
    assert 0.2 < facts["started"] < 2
    assert {child.pid for child in init.children} == {pid for pid, ppid in told.truth.parents if ppid == 1} | {
        t["pid"] for t in told.tasks.values() if t["ppid"] == 1
    }
    assert init.parents == ()
    assert facts_of(told, by_comm(told, b"nc"))["started"] > facts["started"]


def test_family_of_a_kernel_thread(told: Any) -> None:
    found = task_facts(told.kernel, by_comm(told, b"ksoftirqd/0"))
    assert [(one.pid, one.comm) for one in found.parents] == [(2, "kthreadd")]
    assert found.child_count == found.thread_count == 0


def test_a_bound_thread_says_its_cpu(told: Any) -> None:
    assert facts_of(told, by_comm(told, b"ksoftirqd/1"))["cpus_allowed"] == "1"
    migration = facts_of(told, by_comm(told, b"migration/0"))
    assert (migration["policy"], migration["priority"]) == ("fifo", 99)


def test_a_kernel_thread_has_none_and_no_address_is_no_task(told: Any) -> None:
    address = by_comm(told, b"kthreadd")
    assert task_files(told.kernel, address).why == "a kernel thread has none of its own"
    assert task_memory(told.kernel, address).why == "a kernel thread has none of its own"
    for ask in (task_files, task_memory):
        assert ask(told.kernel, 0x1000).why == "no such task"
    assert task_facts(told.kernel, 0x1000).facts == ()


def test_pages_that_are_missing_are_said() -> None:
    """These dumps were distilled without the pages of files: each task says so, and none fails."""
    kernel = case_of("6.12-sysrq").kernel
    found = [task_files(kernel, t.address) for t in kernel.cached(task_structs).values() if t.mm]
    assert found
    assert all("not in the dump" in one.why for one in found)


def test_flags() -> None:
    assert flag_words(0o100002) == "O_RDWR"
    assert flag_words(0o102001) == "O_WRONLY O_APPEND"
    assert flag_words(0o4010000) == "O_RDONLY O_SYNC"
    assert flag_words(0o10000) == "O_RDONLY O_DSYNC"
    assert flag_words(0o10000000) == "O_PATH"
