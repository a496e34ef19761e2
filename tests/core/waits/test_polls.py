"""poll and epoll: the files, and who has their other ends; a poll_wqueues is told by its own entries."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.waits.made import TOP, made, sleeper, told
from oopscope.waits.ends import Ends
from oopscope.waits.kinds import polls

MEMBERS = {
    "poll_wqueues.polling_task": 0x18, "poll_wqueues.inline_entries": 0x30, "poll_wqueues.inline_index": 0x28,
    "poll_wqueues.table": 0x10, "poll_table_entry.filp": 0, "poll_table_entry.wait.private": 0x18,
    "poll_table_entry.wait.func": 0x20, "poll_table_page.next": 0, "poll_table_page.entry": 8,
    "poll_table_page.entries": 16, "eventpoll.wq.head": 0x20, "eventpoll.file": 0x40, "eventpoll.rbr.rb_root": 0x50,
    "epitem.rbn": 0, "epitem.ffd.file": 0x30, "epitem.ep": 0x38, "file.private_data": 0x20,
}  # fmt: skip
EACH, TABLE, TASK = 0x40, 0x7100, 0x7000
PIPE, SOCKET, EVENT, PAGE = TOP + 0x1000, TOP + 0x2000, TOP + 0x3000, TOP + 0x4000
EP, FILE, ITEM, LEFT = TOP + 0x5000, TOP + 0x6000, TOP + 0x7000, TOP + 0x8000
ENDS = {PIPE: Ends((0x55,), "0xabc", "pipe"), SOCKET: Ends((0x66,), "unix 0x9", "peer"), EVENT: None}


def entries(at: int, *files: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for number, file in enumerate(files):
        base = at + number * EACH
        found |= {base: file, base + 0x18: TABLE, base + 0x20: 0xF00}
    return found


def claims(monkeypatch: pytest.MonkeyPatch, words: dict[int, int], one: Any, name: str = "pollwake") -> Any:
    kernel = made(monkeypatch, polls, MEMBERS, words, {0xF00: name})
    one.word = kernel.memory.word
    monkeypatch.setattr(polls, "unlocked", lambda _kernel: [one])
    monkeypatch.setattr(polls, "size", lambda _kernel, _struct: EACH)
    monkeypatch.setattr(polls, "ends_of", lambda _kernel, file, _tgid: ENDS[file])
    monkeypatch.setattr(polls, "head_of", lambda _kernel, node: node)
    return told(polls.edges(kernel))


def poller(**more: Any) -> Any:
    task = SimpleNamespace(mm=1, tgid=7, sp=0x7000)
    return sleeper(TASK, ("schedule", "do_sys_poll"), places=(TABLE + 0x18,), task=task, **more)


def test_poll_names_who_has_the_other_ends_of_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {TABLE + 0x28: 2, TABLE + 0x10: PAGE, **entries(TABLE + 0x30, PIPE, EVENT), PAGE: 0,
             PAGE + 8: PAGE + 16 + EACH, **entries(PAGE + 16, SOCKET)}  # fmt: skip
    found = claims(monkeypatch, words, poller())
    assert found[0] == ("0x7000", "waits_for", "of 3 files")
    assert sorted(found[1:]) == [("of 3 files", "held_by", "0x55"), ("of 3 files", "held_by", "0x66")]
    assert claims(monkeypatch, words, poller(), "something_else") == []
    assert claims(monkeypatch, {**words, TABLE + 0x48: 0}, poller()) == []  # an entry that names another table


def test_files_without_another_end_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {TABLE + 0x28: 1, TABLE + 0x10: 0, **entries(TABLE + 0x30, EVENT)}
    assert claims(monkeypatch, words, poller()) == []


def test_epoll_by_the_tree_of_what_it_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {
        EP + 0x40: FILE, FILE + 0x20: EP, EP + 0x50: ITEM, ITEM: 1, ITEM + 8: 0, ITEM + 16: LEFT, LEFT: 1, LEFT + 8: 0,
        LEFT + 16: 0, ITEM + 0x30: PIPE, ITEM + 0x38: EP, LEFT + 0x30: SOCKET, LEFT + 0x38: EP + 8,
    }  # fmt: skip
    entry = SimpleNamespace(node=EP + 0x20, function="ep_autoremove_wake_function")
    task = SimpleNamespace(mm=1, tgid=7, sp=0x7000)
    one = sleeper(TASK, ("schedule", "ep_poll", "do_epoll_wait"), entries=(entry,), task=task)
    assert claims(monkeypatch, words, one) == [  # the item of another eventpoll is not believed
        ("0x7000", "waits_for", "of pipe 0xabc"), ("of pipe 0xabc", "held_by", "0x55"),
    ]  # fmt: skip
