"""What tables and texts share: the choice of a row through filter and sort, and the map of hits."""

from typing import Any

from oopscope_tui.app import OopscopeApp
from tui.driving import LARGE, SMALL, enter, lines, press, running
from tui.fake import Fake, tasks


async def test_a_choice_outlives_a_filter_that_nothing_passes() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "g", *"jjjjj")
        pid = app.pane.main.row.pid
        await enter(app, pilot, "f", "no-such-task")
        assert app.pane.main.row is None
        await press(app, pilot, "escape")
        assert app.pane.main.row.pid == pid  # type: ignore[attr-defined]
        await enter(app, pilot, "f", "pid<4")
        assert app.pane.main.row.pid != pid  # type: ignore[attr-defined]
        await press(app, pilot, "escape")
        assert app.pane.main.row.pid == pid  # type: ignore[attr-defined]


async def test_a_choice_outlives_sort_and_filter_together() -> None:
    async with running(Fake(rows={"tasks": lambda: tasks(3000)}), size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "g", "s", "s", "s", "R")
        await enter(app, pilot, ":", "1234")
        table = app.pane.main
        assert (table.row.pid, table.view.row(table.cursor).pid) == (1234, 1234)
        await enter(app, pilot, "f", "comm~daemon")
        await enter(app, pilot, ":", "2000")  # a kernel thread, which the filter hides
        assert table.row.pid == 2000
        assert not table.filter_text
        assert table.sorted_by is not None
        assert table.top <= table.cursor < table.top + table.page


async def test_a_row_that_is_wanted_while_a_filter_runs_is_reached() -> None:
    async with running(Fake(rows={"tasks": lambda: tasks(3000)}), size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "g", "s")
        table = app.pane.main
        table.set_filter("worker")
        table.select(2999)
        table.set_filter("kworker")
        await press(app, pilot)
        assert table.row.pid == 3000


def bar(app: OopscopeApp) -> Any:
    return "".join(line[app.pane.main.size.width - 1] for line in lines(app)[4 : 4 + app.pane.main.page])


async def test_the_scroll_bar_shows_where_the_hits_are() -> None:
    async with running(Fake(rows={"tasks": lambda: tasks(1800)}), size=SMALL) as (app, pilot):
        await press(app, pilot, "3", "g")
        page = app.pane.main.page
        assert bar(app) == "▐" + " " * (page - 1)
        await enter(app, pilot, "/", "daemon-(0|1797) |:901 ")
        await press(app, pilot, "g")
        shown = bar(app)
        assert shown[0] == "█"
        assert shown[-1] == "•"
        assert shown.count("•") == 2
        await press(app, pilot, "escape")
        assert bar(app) == "▐" + " " * (page - 1)


async def test_a_search_that_is_typed_begins_where_the_cursor_was() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "g")
        await press(app, pilot, "slash", *"kworker/0:4")
        assert app.pane.main.row.comm == "kworker/0:4"
        await press(app, pilot, "backspace", "backspace", "backspace")
        assert app.pane.main.row.comm == "kworker/1:1"
