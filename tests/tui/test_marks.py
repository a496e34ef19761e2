"""What tabs tell, how lines of the log are drawn, and dumps by bug."""

from types import SimpleNamespace
from typing import Any

import pytest

from oopscope.klog.tones import tone
from oopscope.subsystems import table
from oopscope_tui.panes.dumps import Bugs
from oopscope_tui.reading.marks import Mark, Marks
from oopscope_tui.reading.store import Store
from oopscope_tui.widgets.chrome import Tab, Tabs
from tui.driving import LARGE, lines, running


def marks(**feeds: Any) -> Marks:
    store = Store()
    for key, rows in feeds.items():
        store.add(key, rows, True, "")
        store.feed(key).table = table("system")  # any: it is known
    return Marks(store)


def row(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**values)


def test_counts_and_signs_of_trouble() -> None:
    told = marks(tasks=[row(state="D"), row(state="S")], log=[row(level=level, text="") for level in (3, 6, None)],
                 waits=[row(circle=True, ring=1), row(circle=True, ring=1), row(circle=False)], requests=[row()],
                 meminfo=[row(name="MemTotal", bytes=100), row(name="MemAvailable", bytes=3)])  # fmt: skip
    assert told.of("tasks", ["tasks"]) == Mark("2 ◆1D", True)
    assert told.of("log", ["log"]) == Mark("1✗", True)
    assert told.of("waits", ["waits"]) == Mark("⟲1", True)
    assert told.of("memory", ["meminfo"]) == Mark("3%free", True)
    assert told.of("io", ["requests"]) == Mark("1▸")
    told.store.add("tasks", [row(state="D")], True, "")
    assert told.of("tasks", ["tasks"]) == Mark("3 ◆2D", True)


def test_an_empty_place_is_known_as_such_only_once_it_was_read() -> None:
    told = marks(disks=[], requests=[])
    assert told.of("io", ["disks", "requests"]).empty
    told.store.feed("disks").state = "reading"
    assert not told.of("io", ["disks", "requests"]).empty
    assert not told.of("network", ["sockets"]).empty  # nothing is known of it


def test_trouble_keeps_its_room_where_not_all_has_any() -> None:
    bar = Tabs(lambda key: None)
    bar.tabs = (Tab("cpus", "CPUs", 1, "64"), Tab("tasks", "Tasks", 2, "62 ◆2D", True))
    whole = "".join(segment.text for segment in bar.segments(40))
    assert whole == " 1 CPUs 64  2 Tasks 62 ◆2D "
    assert "".join(segment.text for segment in bar.segments(25)) == " 1 CPUs  2 Tasks 62 ◆2D "
    assert "".join(segment.text for segment in bar.segments(17)) == " 1 CPUs  2 Tasks "


@pytest.mark.parametrize(("text", "level", "in_oops", "kind"), [
    ("BUG: kernel NULL pointer dereference, address: 0", 1, True, "cause"),
    ("RIP: 0010:lab_read_balance+0x5/0xe [labcrash]", 4, True, "cause"),
    ("Kernel panic - not syncing: x", 0, False, "cause"),
    ("RAX: 0000000000000000 RBX: ffff8ad28e84c310", 4, True, "rest"),
    ("Modules linked in: labcrash(OE+)", 4, True, "rest"),
    (" ? exit_to_user_mode_prepare+0x44/0x240", 4, True, "rest"),
    (" do_one_initcall+0x59/0x220", 4, True, ""),
    ("RAX: 0000000000000000", 6, False, ""),
    ("virtio_net: Unknown symbol", 4, False, ""),
])  # fmt: skip
def test_how_a_line_reads(text: str, level: int, in_oops: bool, kind: str) -> None:
    assert tone(text, level, in_oops) == kind


def dump(path: str, signature: str | None, when: float, host: str = "a", state: str = "complete") -> SimpleNamespace:
    return row(path=path, signature=signature, when=when, nodename=host, state=state)


def test_dumps_by_bug_the_most_frequent_first_and_unknown_causes_are_never_one() -> None:
    rows = [dump("1", "null:x", 5), dump("2", None, 9), dump("3", "oom", 7), dump("4", "null:x", 8, "b"),
            dump("5", None, 1), dump("6", "oom", 2, state="gone")]  # fmt: skip
    bugs = Bugs()
    bugs.learn(rows)
    shown = sorted((one for one in rows if one.state != "gone"), key=bugs.order)
    assert [one.path for one in shown] == ["4", "1", "3", "2", "5"]
    assert [bugs.said[one.path] for one in shown] == ["\N{MULTIPLICATION SIGN}2 on 2 hosts", "  ├",
                                                      "\N{MULTIPLICATION SIGN}1", "?", "?"]  # fmt: skip


async def test_the_tabs_tell() -> None:
    async with running(size=LARGE) as (app, _):
        assert "2 CPUs 2" in lines(app)[1] and "Tasks" in lines(app)[1]
