"""The log on the screen: folds, a caller, wrapping, the line of density, and the links of a record."""

import re
from pathlib import Path
from typing import Any

import pytest
from textual.events import Click
from textual.pilot import Pilot

from oopscope_tui.app import OopscopeApp
from oopscope_tui.places import Place
from oopscope_tui.settings.settings import Settings
from tui.driving import LARGE, SMALL, enter, lines, press, running, settle, text
from tui.fake import Fact, Fake, Record, log
from tui.test_log_blocks import LOCKDEP

FINE = [(6, "T1", f"device {at}: ready") for at in range(30)]
TRACE = [
    (4, "T241", "CPU: 1 PID: 241 Comm: insmod"),
    (4, "T241", "Call Trace:"),
    (4, "T241", " <TASK>"),
    (4, "T241", " lab_init+0x30/0x40 [labcrash]"),
    (4, "C0", "eth0: link down"),  # another's, in the midst
    (4, "T241", " do_one_initcall+0x44/0x200"),
    (4, "T241", " </TASK>"),
]
BUG = [(1, "T241", "BUG: kernel NULL pointer dereference, address: 0000000000000018"), *TRACE]
WARNING = [(4, "T30", "WARNING: at a.c:1 lab_check+0x1/0x2"), (4, "T30", "CPU: 0 PID: 30 Comm: late"),
           (4, "T30", "Call Trace:"), (4, "T30", " lab_late+0x5/0x9"), (3, "T30", "ext4: [red]bad block")]  # fmt: skip


def records(*parts: Any, callers: bool = True) -> Any:
    rows = [one for part in parts for one in part]
    return [
        Record(at, at * 100_000_000, level, 0, caller if callers else None, words)
        for at, (level, caller, words) in enumerate(rows)
    ]


def fake(*parts: Any, **more: Any) -> Any:
    rows = records(*(parts or (FINE, WARNING, FINE, BUG)), **more)
    return Fake(rows={"log": lambda: rows}, found=None)


def shown(app: OopscopeApp) -> Any:
    return [app.pane.main.view.row(at).index for at in range(len(app.pane.main.view))]


async def test_blocks_are_folded_but_for_what_killed_the_machine() -> None:
    async with running(fake(), size=LARGE) as (app, pilot):
        await press(app, pilot, "5")
        assert app.pane.main.row.index == 65
        assert shown(app)[30:33] == [30, 31, 34]
        assert "▸ Call Trace: 3 lines, lab_late+0x5 · CPU 0, PID 30 late" in text(app)
        assert shown(app)[-8:] == list(range(65, 73))
        assert "▾ CPU: 1 PID: 241 Comm: insmod" in text(app)


async def test_space_plus_minus_and_z_fold() -> None:
    async with running(fake(), size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "G", "minus")
        assert app.pane.main.row.index == 66  # the cursor goes to the head
        assert "▸ Call Trace: 6 lines, lab_init+0x30 … do_one_initcall · CPU 1, PID 241 insmod" in text(app)
        assert "eth0: link down" in text(app)  # another caller's line stays
        await press(app, pilot, "plus")
        assert 71 in shown(app)
        await press(app, pilot, "space")
        assert 71 not in shown(app)
        await press(app, pilot, "space", "z")
        assert len(shown(app)) == 73 - 2 - 5
        assert "all blocks folded" in text(app)
        await press(app, pilot, "z")
        assert len(shown(app)) == 73
        assert "all blocks unfolded" in text(app)


async def test_space_pages_on_over_a_block_and_folds_nothing() -> None:
    async with running(fake(*[WARNING] * 60)) as (app, pilot):
        await press(app, pilot, "5", "g", "j", "space")
        assert 3 in shown(app)  # it unfolded
        count = len(shown(app))
        await press(app, pilot, "k", *["space"] * 30)
        assert len(shown(app)) == count
        assert app.pane.main.cursor == count - 1


async def test_a_search_unfolds_what_it_finds_and_folds_it_when_it_goes_on() -> None:
    async with running(fake(*[FINE, WARNING] * 2)) as (app, pilot):
        await press(app, pilot, "5", "g")
        assert len(shown(app)) == 70 - 4
        await enter(app, pilot, "/", "lab_late")
        assert app.pane.main.row.index == 33
        assert "1 of 2" in text(app)
        await press(app, pilot, "n")
        assert (app.pane.main.row.index, 33 in shown(app)) == (68, False)
        assert "2 of 2" in text(app)
        await press(app, pilot, "n", "escape")
        assert (app.pane.main.row.index, 68 in shown(app)) == (33, False)


async def test_a_search_that_is_given_up_leaves_all_folded() -> None:
    async with running(fake(FINE, WARNING, FINE)) as (app, pilot):
        await press(app, pilot, "5", "g", "j", "slash", *"lab_l")
        assert 33 in shown(app)
        await press(app, pilot, "escape")
        assert app.pane.main.row.index == 1
        assert 33 not in shown(app)


async def test_a_filter_shows_what_is_folded_and_levels_keep_folds() -> None:
    async with running(fake()) as (app, pilot):
        await press(app, pilot, "5", "z")
        await enter(app, pilot, "f", "lab_late")
        assert shown(app) == [33]
        await press(app, pilot, "escape", "l")
        assert "warnings and worse" in text(app)
        assert shown(app) == [30, 31, 34, 65, 66, 70]
        await enter(app, pilot, "f", "state:(")
        assert shown(app) == []
        await press(app, pilot, "escape")
        assert shown(app) == [30, 31, 34, 65, 66, 70]


async def test_a_jump_to_an_error_in_a_folded_block_unfolds_it() -> None:
    inside = [*TRACE[:3], (2, "C0", "mce: bad"), *TRACE[3:]]
    rows = records(FINE, inside, FINE, callers=False)  # the stray one does not end the block
    async with running(Fake(rows={"log": lambda: rows}, found=None)) as (app, pilot):
        await press(app, pilot, "5", "g", "right_square_bracket")
        assert app.pane.main.row.index == 31  # the stack, under the line that says whose it is
        assert 36 in shown(app)
        await press(app, pilot, "z")
        assert 36 not in shown(app)
        await app.go(Place("log", 36))
        await settle(app, pilot)
        assert app.pane.main.row.index == 36
        assert 36 in shown(app)


async def test_c_follows_a_caller() -> None:
    async with running(fake(), size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "G", "c")
        assert shown(app) == [65, 66, 67, 68, 69, 71, 72]
        assert "only task 241" in text(app)
        await press(app, pilot, "l", "l")
        assert shown(app) == [65]
        assert "errors and worse · only task 241" in text(app)
        await app.go(Place("log", 3))
        await settle(app, pilot)
        assert app.pane.main.row.index == 3
        assert "only" not in lines(app)[2]
        await press(app, pilot, "c")
        assert set(shown(app)) == {*range(30), *range(35, 65)}
        await press(app, pilot, "c")
        assert len(shown(app)) == 73 - 2


async def test_c_shows_a_block_where_callers_are_not_recorded() -> None:
    async with running(fake(callers=False), size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "g", "c")
        assert "this log does not record callers" in lines(app)[-2]
        assert len(shown(app)) > 60
        await press(app, pilot, "G", "c")
        assert "only this block (callers are not recorded)" in text(app)
        assert shown(app) == [65, 66, 67, 68, 69, 71, 72]
        await press(app, pilot, "c")
        assert len(shown(app)) > 60


LONG = "x" * 150 + "END"


async def test_w_wraps_long_lines() -> None:
    rows = [Record(at, at, 6, 0, "T1", f"{at} {LONG if at % 3 == 0 else 'short'}") for at in range(40)]
    async with running(Fake(rows={"log": lambda: rows}, found=None)) as (app, pilot):
        await press(app, pilot, "5", "g")
        assert "END" not in text(app)
        await press(app, pilot, "W")
        assert text(app).count("END") == 4
        assert re.fullmatch(r" {17}x{62}.", lines(app)[5])
        await press(app, pilot, *"j" * 39)
        assert app.pane.main.row.index == 39
        assert "39 xxx" in text(app)
        assert lines(app)[-3].strip(" ▐").endswith("END")
        await press(app, pilot, "b", "b")
        assert app.pane.main.row.index < 30
        await press(app, pilot, "g", "space", "space")
        assert 10 < app.pane.main.row.index < 30
        await enter(app, pilot, "/", "END")
        assert "of 14" in lines(app)[2]
        await press(app, pilot, "escape", "W", "right")
        assert app.pane.main.left == 16
        await press(app, pilot, "left", "G", "W")
        assert app.pane.main.row.index == 39


async def test_a_monstrous_line_wraps_in_bounds_and_short_logs_wrap_too() -> None:
    rows = [Record(at, at, 6, 0, None, "y" * 100_000) for at in range(3)]
    async with running(Fake(rows={"log": lambda: rows}, found=None)) as (app, pilot):
        await press(app, pilot, "5", "W", "G", "k", "j", "b", "space")
        assert app.pane.main.row.index == 2
        await press(app, pilot, "g")
        assert app.pane.main.top == 0
    async with running(Fake(rows={"log": list}, found=None)) as (app, pilot):
        await press(app, pilot, "5", "W", "j", "space", "b", "G", "minus", "plus", "z", "c", "o", "W")
        assert "no oops is known" in text(app)


async def click(app: OopscopeApp, pilot: Pilot[int], x: Any, y: Any) -> None:
    main = app.pane.main
    main.post_message(Click(main, x, y, 0, 0, 1, False, False, False, x, y))
    await settle(app, pilot)


async def test_the_density_shows_where_one_is_and_a_click_goes_there() -> None:
    async with running(fake(FINE * 4, BUG)) as (app, pilot):
        await press(app, pilot, "5", "z", "g")
        strip = lines(app)[3]
        assert len(strip) == SMALL[0]
        assert set(strip) <= set(" ▁▂▃▄▅▆▇█")
        before = [segment.style for segment in app.pane.main.headings(80)]
        assert before[0].reverse
        assert any(style and style.underline for style in before)
        await click(app, pilot, 79, 1)
        assert app.pane.main.row.index > 120
        assert app.pane.main.headings(80)[-2].style.reverse
        await click(app, pilot, 0, 1)
        assert app.pane.main.row.index == 0
    same = [Record(at, 5, 6, 0, None, "x") for at in range(9)]  # no time passed: nothing to show
    async with running(Fake(rows={"log": lambda: same}, found=None)) as (app, pilot):
        await press(app, pilot, "5")
        assert app.pane.main.heads == 1


async def test_a_click_on_the_sign_folds() -> None:
    async with running(fake(), size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "z", "g")
        await click(app, pilot, 17, 31 + 2)
        assert 33 in shown(app)
        await click(app, pilot, 17, 31 + 2)
        assert 33 not in shown(app)
        await click(app, pilot, 40, 5 + 2)
        assert app.pane.main.row.index == 5


async def test_enter_opens_the_links_of_a_record_and_of_a_folded_block() -> None:
    async with running(Fake(rows={"log": lambda: records(FINE, BUG)}, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "z", "G", "k", "enter")
        assert "Call Trace: 6 lines" in text(app)
        assert app.pane.side.link == Place("cpus", 1, True)
        places = [row.link for row in app.pane.side.view.rows if row.link is not None]
        assert places[1:5] == [Place("tasks", 241, True), Place("symbol", "lab_init"),
                               Place("modules", "labcrash", True), Place("symbol", "do_one_initcall")]  # fmt: skip
        await press(app, pilot, "j", "enter")
        assert (app.pane.key, app.pane.main.row.pid) == ("tasks", 241)
        await press(app, pilot, "escape")
        assert (app.pane.key, app.pane.opened) == ("log", True)
        await press(app, pilot, "escape", "g", "enter", "enter")  # its caller alone
        assert (app.pane.key, app.pane.main.row.pid) == ("tasks", 1)


async def test_a_link_to_a_task_that_was_gone_says_so() -> None:
    rows = records([(6, None, "Out of memory: Killed process 9999 (gone) total")])
    async with running(Fake(rows={"log": lambda: rows}, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "5", "enter", "enter")
        assert app.pane.key == "tasks"
        assert "9999 is not among the tasks" in text(app)


async def test_copying_and_writing_a_folded_block_gives_all_its_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with running(Fake(rows={"log": lambda: records(FINE[:1], BUG)}, found=None), size=LARGE) as (app, pilot):
        copied: list[Any] = []
        monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
        await press(app, pilot, "5", "z", "g", "j", "j", "y")
        assert [line.split(" W ")[1] for line in copied[-1].split("\n")][:2] == ["CPU: 1 PID: 241 Comm: insmod",
                                                                                "Call Trace:"]  # fmt: skip
        await enter(app, pilot, "w", str(tmp_path / "log.txt"))
        written = (tmp_path / "log.txt").read_text().splitlines()
        assert len(written) == 9
        assert sum("do_one_initcall" in line for line in written) == 1


async def test_times_that_are_not_known_are_said() -> None:
    nothing = Fake(rows={"log": lambda: records(FINE), "system": lambda: [Fact("nodename", "x")]}, found=None)
    async with running(nothing, size=LARGE) as (app, pilot):
        await press(app, pilot, "5", "t")
        assert "the wall clock is not known" in lines(app)[-2]
        assert "times before the log's end" in lines(app)[2]
        await press(app, pilot, "enter")
        assert "not known: nothing tells when it booted" in text(app)


async def test_the_settings_choose_the_times() -> None:
    async with running(fake(), settings=Settings(time="UTC")) as (app, pilot):
        await press(app, pilot, "5")
        assert "times UTC" in lines(app)[2]
        assert "03:20:02.500000" in text(app)


async def test_a_lock_report_and_lines_without_a_level() -> None:
    rows = [Record(at, at, None, None, None, words) for at, words in enumerate(LOCKDEP)]
    async with running(Fake(rows={"log": lambda: rows}, found=None), size=LARGE) as (app, pilot):
        await press(app, pilot, "5")
        assert "▸ Lock report: 13 lines" in text(app)


async def test_rows_that_come_late_fold_and_the_cursor_keeps_its_row() -> None:
    rows = records(FINE, BUG, FINE)
    async with running(Fake(rows={"log": lambda: rows}, found=None), size=SMALL) as (app, pilot):
        await press(app, pilot, "5", "z", "g", "j", "j")
        more = [row._replace(index=at, ns=at * 10**8) for at, row in enumerate(records(WARNING, FINE), len(rows))]
        app.store.add("log", more, True, "")
        app.pane.changed()
        await settle(app, pilot)
        assert app.pane.main.row.index == 2
        assert len(shown(app)) == len(rows) + len(more) - 5 - 2
        assert len(app.pane.main.density.cells(80)) == 80


async def test_a_hostile_log_draws() -> None:
    rows = [Record(at, 2**64 - 1 - at, 99, 9, "T" + "9" * 30, "Call Trace:\x1b[2J" if at % 3 else "\n\n a+0x1/0x2")
            for at in range(200)] + log(3)  # fmt: skip
    async with running(Fake(rows={"log": lambda: rows}, found=None)) as (app, pilot):
        await press(app, pilot, "5", "G", "z", "W", "t", "t", "t", "c", "enter", "escape", "c", "l", "space", "minus")
        assert "\x1b" not in text(app)
