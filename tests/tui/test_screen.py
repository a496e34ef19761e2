"""The screen, driven by keys: panes, links, history, search, filter, sort, prompts, mouse."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oopscope.errors import FormatError, NotADump
from oopscope.subsystems import CPU, PID, Column
from oopscope_tui.app import OopscopeApp
from oopscope_tui.places import Place
from oopscope_tui.reading import worker
from tui.driving import LARGE, PATIENCE, SMALL, enter, lines, press, running, text
from tui.fake import Fake, Problem, log, tasks

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])

ALWAYS = (
    "NULL pointer dereference in lab_read_balance", "certain", "Fatal exception", "241 insmod", "lab-node-1",
    "6.1.0-50-cloud-amd64", "2026-11-23 03:20:11 UTC", "Evidence", "log 40",
)  # fmt: skip
WHERE_THERE_IS_ROOM = (
    "Stack of CPU 1", "lab_init+0x30", "Blocked longest", "GOE", "0.42 0.10 0.03", "complete", "20,000 pages",
    "First error in the log", "384M MemTotal, 240M available", "console=ttyS0",
)  # fmt: skip


@SIZES
async def test_the_overview_says_why_with_no_key_pressed(size: tuple[int, int]) -> None:
    async with running(size=size) as (app, _):
        shown = text(app)
        for words in (*ALWAYS, *(WHERE_THERE_IS_ROOM if size == LARGE else ())):
            assert words in shown


KEYS = {".": "full_stop", ",": "comma"}


@pytest.mark.thorough
@SIZES
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("1", ["Verdict"]),
        ("2", ["panic", "swapper/0", "lab_read_balance+0x5 [labcrash]"]),
        ("3", ["daemon-39", "61 tasks, 3 blocked", "PPID"]),
        ("4", ["240M available", "384M in all", "41.7 %", "below min!"]),
        ("5", ["BUG: kernel NULL pointer", "10.000000"]),
        ("9.", ["labcrash", "module_0", "1 tainting"]),
        ("6", ["/dev/vda1", "ext4", "/gone"]),
        ("4,", ["cache-0", "1.2M"]),
    ],
)
async def test_each_pane(size: tuple[int, int], key: str, words: list[str]) -> None:
    async with running(size=size) as (app, pilot):
        await press(app, pilot, *(KEYS.get(one, one) for one in key))
        for word in words:
            assert word in text(app)
        assert all(strip.cell_length == size[0] for strip in app.lines_on_screen())


async def test_a_digit_and_the_views_of_its_tab() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "4")
        assert lines(app)[-2].split()[:4] == ["Memory", "Memory", "Zones", "Slab"]
        seen = []
        for key in ("4", "full_stop", "4", "4", "comma"):
            await press(app, pilot, key)
            seen.append(app.pane.key)
        assert seen == ["meminfo", "zones", "slabs", "memory", "slabs"]
        await press(app, pilot, "1", "4")
        assert app.pane.key == "slabs"
        await press(app, pilot, "enter", "4")
        assert app.pane.key == "slabs" and not app.pane.opened
        await pilot.click(app.status, offset=(lines(app)[-2].index("Zones") + 1, 0))
        await press(app, pilot)
        assert app.pane.key == "zones"
        await press(app, pilot, "8")
        assert app.pane.key == "zones"


async def test_tab_goes_round_the_panes() -> None:
    async with running() as (app, pilot):
        seen = [app.pane.key]
        for _ in range(len(app.views)):
            await press(app, pilot, "tab")
            seen.append(app.pane.key)
        assert seen[0] == seen[-1] == "overview"
        assert sorted(seen[1:]) == sorted(tab.key for tab in app.views)
        await press(app, pilot, "shift+tab")
        assert app.pane.key == "problems"


@SIZES
async def test_enter_opens_a_stack_and_escape_comes_back(size: tuple[int, int]) -> None:
    async with running(size=size) as (app, pilot):
        await press(app, pilot, "3", "g", "j", "j", "enter")
        assert "worker_thread+0xb0" in text(app)
        assert "Tasks \u203a 3 kworker/0:2 \u203a stack" in lines(app)[-2]
        assert app.pane.side.has_focus
        await press(app, pilot, "escape")
        assert app.pane.main.has_focus
        assert app.pane.main.row.pid == 3
        await press(app, pilot, "escape")
        assert app.pane.key == "overview"


async def test_evidence_is_a_link_into_the_log() -> None:
    async with running(size=LARGE) as (app, pilot):
        while app.pane.main.link != Place("log", 40):
            await press(app, pilot, "j")
        await press(app, pilot, "enter")
        assert app.pane.key == "log"
        assert app.pane.main.row.index == 40
        await press(app, pilot, "escape")
        assert app.pane.key == "overview"
        assert app.pane.main.link == Place("log", 40)


async def test_history_walks_all_the_way_back() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "enter", "5", "2")
        await enter(app, pilot, ":", "241")
        assert app.pane.here() == Place("tasks", 241, True)
        for place in (("cpus", False), ("log", False), ("tasks", True), ("tasks", False), ("overview", False)):
            await press(app, pilot, "escape")
            assert (app.pane.key, app.pane.opened) == place


@pytest.mark.parametrize(
    ("words", "pane", "key"),
    [("tasks", "tasks", 241), ("bt 241", "tasks", 241), ("cpu 0", "cpus", 0), ("mod", "modules", "labcrash"),
     ("modules labcrash", "modules", "labcrash"), ("slab", "slabs", "cache-0"), ("schedule", "symbol", "schedule")],
)  # fmt: skip
async def test_going_to(words: str, pane: str, key: int | str) -> None:
    async with running() as (app, pilot):
        await enter(app, pilot, ":", words)
        assert app.pane.key == pane
        assert app.pane.here().key == key


async def test_going_to_what_is_not_there_says_so() -> None:
    async with running() as (app, pilot):
        await enter(app, pilot, ":", "99999")
        assert "no 99999 among the tasks" in text(app)


async def test_the_culprit_is_selected_first() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3")
        assert app.pane.main.row.comm == "insmod"


async def test_search_counts_moves_and_ends() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "g")
        await enter(app, pilot, "/", "kworker/1")
        assert "1 of 20" in lines(app)[2]
        first = app.pane.main.cursor
        await press(app, pilot, "n")
        assert "2 of 20" in lines(app)[2]
        await press(app, pilot, "N", "N")
        assert "20 of 20" in lines(app)[2]
        await press(app, pilot, "n")
        assert app.pane.main.cursor == first
        await press(app, pilot, "escape")
        assert " of 20" not in lines(app)[2]
        assert app.pane.key == "tasks"


async def test_search_in_the_log_is_over_the_text_and_highlights() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "g")
        await enter(app, pilot, "/", "^device 1")
        assert "1 of 10" in lines(app)[2]
        segments = [segment for strip in app.lines_on_screen() for segment in strip]
        hits = [text for text, style, _ in segments if style and style.bgcolor and style.bgcolor.name == "yellow"]
        assert len(hits) == 9  # the tenth is the cursor's row
        assert set(hits) == {"device 1"}


async def test_cancelling_a_search_goes_back_to_where_it_began() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "g", "j", "j", "j")
        await press(app, pilot, "slash", "i", "n", "s", "m")
        assert app.pane.main.row.comm == "insmod"
        await press(app, pilot, "escape")
        assert app.pane.main.cursor == 3
        assert app.pane.main.scan is None


async def test_filters_narrow_and_keep_the_selection() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "g", *"jjjjjjjjj")
        assert app.pane.main.row.pid == 10
        await enter(app, pilot, "f", "state:D rss>1M")
        assert len(app.pane.main.view) == 1
        assert app.pane.main.row.pid == 10
        assert "Tasks 1 of 61 · filter state:D rss>1M" in lines(app)[2]
        await press(app, pilot, "escape")
        assert len(app.pane.main.view) == 61
        assert app.pane.main.row.pid == 10


async def test_a_filter_that_cannot_be_understood_stays_in_the_prompt() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3")
        await enter(app, pilot, "f", "rss>lots")
        assert "wants a number" in text(app)
        assert app.prompt_line.display
        await press(app, pilot, "escape")
        assert len(app.pane.main.view) == 61


async def test_sort_by_key_reverse_and_click() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "g", "j", "j")
        assert app.pane.main.row.pid == 3
        await press(app, pilot, "s", "s", "s")
        assert "by Command ↑" in lines(app)[2]
        assert app.pane.main.row.pid == 3
        comms = [app.pane.main.view.row(at).comm.lower() for at in range(61)]
        assert comms == sorted(comms)
        await press(app, pilot, "R")
        assert "by Command ↓" in lines(app)[2]
        await pilot.click(app.pane.main, offset=(lines(app)[3].index("RSS"), 1))
        await press(app, pilot, "g")
        assert "by RSS ↓" in lines(app)[2]
        assert app.pane.main.row.pid == 61


async def test_the_mouse_chooses_panes_rows_and_keys() -> None:
    async with running() as (app, pilot):
        await pilot.click(app.tabs, offset=(lines(app)[1].index("3 Tasks") + 2, 0))
        await press(app, pilot, "g")
        assert app.pane.key == "tasks"
        await pilot.click(app.pane.main, offset=(5, 6))
        assert app.pane.main.row.pid == 5
        await pilot.click(app.pane.main, offset=(5, 6))
        await press(app, pilot)
        assert app.pane.opened
        await pilot.click(app.keyline, offset=(lines(app)[-1].index("? keys") + 1, 0))
        await press(app, pilot)
        assert app.pane.key == "help"


async def test_scrolling_to_the_ends() -> None:
    async with running(Fake(rows={"log": lambda: log(5000)})) as (app, pilot):
        await press(app, pilot, "5", "G")
        assert app.pane.main.row.index == 4999
        assert "5,000/5,000" in lines(app)[2]
        await press(app, pilot, "k", "pageup", "g")
        assert app.pane.main.row.index == 0
        await press(app, pilot, "space")
        assert app.pane.main.cursor == app.pane.main.page - 1


async def test_the_log_times_levels_and_beginning() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "5")
        assert app.pane.main.row.index == 40
        marked = [line for line in lines(app)[3:-2] if line.startswith("▌")]
        assert marked
        assert "BUG: kernel NULL" in marked[0]
        await press(app, pilot, "t")
        assert "03:20:06.000000 A BUG" in text(app)
        await press(app, pilot, "t")
        assert "+0.000000 A BUG" in text(app)
        await press(app, pilot, "l")
        assert [app.pane.main.view.row(at).level for at in range(len(app.pane.main.view))] == [4, 1, 0]
        await press(app, pilot, "l")
        assert len(app.pane.main.view) == 2
        await press(app, pilot, "l", "g", "o")
        assert app.pane.main.row.index == 40
        await press(app, pilot, "enter")
        assert "1 alert" in text(app)


async def test_a_record_of_several_lines_is_shown_as_several() -> None:
    rows = [log(1)[0]._replace(text="first\nsecond\n\tthird"), log(2)[1]]
    async with running(Fake(rows={"log": lambda: rows}, found=None)) as (app, pilot):
        await press(app, pilot, "5")
        shown = [line[17:].strip(" ▐") for line in lines(app)[4:8]]
        assert shown[:3] == ["first", "second", "third"]
        assert len(app.pane.main.view) == 4


async def test_help_shows_the_keys_of_the_place() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "question_mark")
        assert "Keys of Log" in text(app)
        assert "to where the oops begins" in text(app)
        await press(app, pilot, "escape")
        assert app.pane.key == "log"


async def test_copy_gives_the_row_and_the_whole_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(size=LARGE) as (app, pilot):
        copied: list[Any] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await press(app, pilot, "2", "y")
        assert copied[-1].startswith("1  panic  241  insmod")
        await press(app, pilot, "Y")
        assert "lab_read_balance+0x5 [labcrash]" in copied[-1]
        assert copied[-1].count("\n") > 10
        assert "copied" in text(app)


async def test_write_as_text_csv_and_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with running() as (app, pilot):
        await press(app, pilot, "3")
        await enter(app, pilot, "f", "state:D")
        for name in ("a.txt", "a.csv", "a.json"):
            await enter(app, pilot, "w", name)
            assert f"wrote tasks to {name}: 3 rows" in text(app)
        titles, *rows = (tmp_path / "a.txt").read_text().splitlines()
        assert len(rows) == 3
        assert titles.index("Command") == rows[0].index("kworker")
        assert (tmp_path / "a.csv").read_text().splitlines()[0].startswith("pid,state,comm")
        assert [row["pid"] for row in json.loads((tmp_path / "a.json").read_text())] == [6, 10, 18]
        before = (tmp_path / "a.txt").read_text()
        await enter(app, pilot, "w", "a.txt")
        assert "a.txt exists" in text(app)
        await press(app, pilot, "escape")
        assert (tmp_path / "a.txt").read_text() == before
        await enter(app, pilot, "w", "a.json")
        await press(app, pilot, "enter")
        assert "wrote tasks to a.json" in text(app)
        await enter(app, pilot, "w", "a.svg")
        assert "kworker/1:5" in (tmp_path / "a.svg").read_text()
        await press(app, pilot, "1")
        await enter(app, pilot, "w", "b.json")
        assert any("Fatal exception" in row["line"] for row in json.loads((tmp_path / "b.json").read_text()))
        await enter(app, pilot, "w", "no/such/folder.txt")
        assert "No such file" in text(app)


async def test_a_failed_section_says_why_and_the_rest_goes_on() -> None:
    fake = Fake(fails={"tasks": FormatError("init_task is not in the dump"), "verdict": ValueError("odd")})
    fake.fails["modules-late"] = FormatError("the list ends in nowhere")
    fake.said = [Problem("meminfo", "per-CPU counters of CPU 1: excluded", 0xFFFF888000001000)]
    async with running(fake, LARGE) as (app, pilot):
        assert "No verdict: ValueError: odd" in text(app)
        await press(app, pilot, "3")
        assert "could not be read: init_task is not in the dump" in text(app)
        await press(app, pilot, "9", "9")
        assert "labcrash" in text(app)
        assert "the list ends in nowhere" in text(app)
        await enter(app, pilot, ":", "problems")
        assert "per-CPU counters of CPU 1" in text(app)


@pytest.mark.parametrize(
    ("error", "status"), [(NotADump("x", "a text file"), 3), (FormatError("cut"), 4), (OSError("no"), 1)]
)
async def test_a_dump_that_cannot_be_opened_ends_with_one_line_and_its_status(error: Any, status: int) -> None:
    async with running(Fake(fails={"open": error})) as (app, _):
        assert app.failure == str(error)
        assert app.return_value == status


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_quitting_in_mid_read_waits_for_nothing(key: str) -> None:
    fake = Fake(open_delay=60)
    from oopscope_tui.app import OopscopeApp

    app = OopscopeApp([], fake)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause(0.05)
        await pilot.press(key)
        await pilot.pause()
        assert app.return_value == 0


async def test_what_the_user_looks_at_is_read_first() -> None:
    """No table is read before the user has chosen a pane."""
    order: list[str] = []
    chosen = threading.Event()
    fake = Fake()
    for name in ("cpus", "log", "tasks", "slabs", "modules", "mounts"):
        fake.rows[name] = lambda name=name: noting(order, name, chosen)  # type: ignore[misc]
    app = OopscopeApp([], fake)
    async with app.run_test(size=SMALL) as pilot:
        await comes(pilot, lambda: len(app.views) >= 8)
        await pilot.press("9", "9")
        chosen.set()
        await comes(pilot, lambda: app.idle)
    assert order.index("modules") < order.index("slabs")


async def comes(pilot: Any, holds: Callable[[], bool]) -> None:
    """Wait until something holds that another thread brings about."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await pilot.pause(0.001)


def noting(order: list[str], name: str, chosen: threading.Event) -> Any:
    from tui.fake import TABLES

    chosen.wait(PATIENCE)
    order.append(name)
    return TABLES[name][2]()


async def test_rows_appear_while_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next ones are read when those before are on the screen."""
    seen = threading.Semaphore(0)
    monkeypatch.setattr(worker, "BATCH_ROWS", 60)
    monkeypatch.setattr(worker, "BATCH_SECONDS", PATIENCE)

    def slowly() -> Iterator[Any]:
        for at, row in enumerate(tasks(300)):
            if at and at % 60 == 0:
                seen.acquire(timeout=PATIENCE)
            yield row

    app = OopscopeApp([], Fake(rows={"tasks": slowly}))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3")
        for count in (60, 120, 180, 240):
            await comes(pilot, lambda count=count: len(app.pane.main.view) == count)  # type: ignore[misc]
            seen.release()
        await comes(pilot, lambda: app.idle)
        assert len(app.pane.main.view) == 300


async def test_growing_from_narrow_to_wide_and_back() -> None:
    async with running() as (app, pilot):
        await press(app, pilot, "3", "j", "enter")
        assert not app.pane.main.display
        await pilot.resize_terminal(160, 48)
        await press(app, pilot)
        assert app.pane.main.display
        assert app.pane.side.display
        await pilot.resize_terminal(80, 24)
        await press(app, pilot)
        assert not app.pane.main.display
        for width, height in ((20, 6), (1, 1), (300, 100), (40, 10)):
            await pilot.resize_terminal(width, height)
            await press(app, pilot, "1", "2", "3", "4", "5", "6", "9")


async def test_a_folder_of_dumps(tmp_path: Path) -> None:
    from oopscope.fleet.listing import DumpFile

    class Folder(Fake):
        def dumps(self, listing: Any, stopped: Any) -> Iterator[Any]:
            for at in range(3):
                yield DumpFile(f"crash-{at}/vmcore", listing.folder / str(at), 1 << 20, 1e9 + at, "kdump", f"host-{at}")

    async with running(Folder(), paths=[tmp_path]) as (app, pilot):
        assert app.pane.key == "dumps"
        assert "host-2" in lines(app)[4]
        await enter(app, pilot, ":", "tasks")
        assert "that is in a dump" in text(app)
        assert app.pane.key == "dumps"
        await press(app, pilot, "j", "enter")
        assert app.next == tmp_path / "1"
        assert app.return_value == 0
    async with running(Folder(), paths=[tmp_path]) as (app, pilot):
        await press(app, pilot, "colon", *"ash-0")
        assert " ►crash-0/vmcore    dump" in text(app)
        await press(app, pilot, "enter")
        assert app.next == tmp_path / "0"


def test_what_a_field_leads_to() -> None:
    from oopscope_tui.panes.details import leads

    task, symbol, plain = PID._replace(key="owner_pid"), Column("name", "Name", "symbol"), Column("name", "Name")
    assert leads(task, 241) == Place("tasks", 241, True)
    assert leads(symbol, "lab_b+0x8 [labcrash]") == Place("symbol", "lab_b")
    assert leads(plain, "lab_b") is leads(task, None) is leads(CPU, "") is leads(task, 1.5) is None
    pointer = Column("address", "Task", "address", names="struct task_struct")
    assert leads(pointer, 0xFFFF888000050000) == Place("struct", "task_struct@0xffff888000050000")
    assert leads(pointer._replace(names=""), 0xFFFF888000050000) == Place("words", "0xffff888000050000")
    assert leads(pointer, 0) is None
