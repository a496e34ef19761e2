"""Locks of files, epoll, pressure and settings, against the guest's account; what is no lock or item is dropped."""

from typing import Any

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.event_poll import epolls
from oopscope.linux.file_lock import file_locks
from oopscope.linux.psi import pressures
from oopscope.linux.sysctl import NUMBERS

LIFE = "6.1-life"


def life() -> Kernel:
    return case_of(LIFE).kernel


def test_locks_are_those_of_proc_locks() -> None:
    told = [line.replace("->", "").split() for line in account(LIFE)["locks"]]
    rows = file_locks(life())
    assert [(row.kind, row.access, row.pid, row.inode, row.start, row.end) for row in rows] == [
        (words[1], words[3], int(words[4]), int(words[5].split(":")[2]), int(words[6]), int(words[7])) for words in told
    ]
    held, waits = rows
    assert (held.state, held.comm, held.path) == ("held", "life-lock", "/data/file1")
    assert (waits.state, waits.waits_for) == ("waits", held.address)


def test_what_is_of_no_kind_is_no_lock() -> None:
    def spoilt(kernel: Kernel) -> Any:
        return file_locks(kernel)[0].address + kernel.types.member("file_lock", "fl_flags").offset, b"\x03\0\0\0"

    kernel = changed(LIFE, spoilt)
    assert file_locks(kernel) == []
    assert "has the flags 0x3" in next(iter(kernel.problems)).message


def test_what_an_epoll_instance_watches() -> None:
    rows = epolls(life())
    assert [(row.comm, row.fd, row.watched, row.path, row.ready, row.waiting) for row in rows] == [
        ("life-epoll", 3, 4, "anon_inode:[timerfd]", False, 1),
        ("life-epoll", 3, 5, "anon_inode:[eventfd]", False, 1),
    ]
    assert all(row.events == ("IN", "ERR", "HUP") for row in rows)


def test_an_item_of_another_instance_is_dropped_and_said() -> None:
    def moved(kernel: Kernel) -> Any:
        return epolls(kernel)[0].address + kernel.types.member("epitem", "ep").offset, bytes(8)

    kernel = changed(LIFE, moved)
    assert epolls(kernel) == []
    assert "of another instance" in next(iter(kernel.problems)).message


def test_pressure_of_the_machine_and_of_groups() -> None:
    rows = pressures(life())
    assert {row.group for row in rows} == {
        "",
        "/shop.slice",
        "/shop.slice/cart",
        "/kubepods.slice",
        "/kubepods.slice/pod42",
    }
    assert [(row.resource, row.kind) for row in rows if not row.group] == [
        ("cpu", "some"), ("cpu", "full"), ("memory", "some"), ("memory", "full"), ("io", "some"), ("io", "full"),
    ]  # fmt: skip
    top = next(row for row in rows if not row.group and row.resource == "io" and row.kind == "some")
    assert top.avg10 > 50 and top.total_seconds > 100  # two readers of a throttled disk
    full = {(row.group, row.resource): row.total_seconds for row in rows if row.kind == "full"}
    assert all(full[row.group, row.resource] <= row.total_seconds for row in rows if row.kind == "some")


def test_the_longest_word_of_a_handler_is_met_first() -> None:
    words = [word for word, *_ in NUMBERS]
    for at, word in enumerate(words):
        assert not any(earlier in word for earlier in words[:at])
