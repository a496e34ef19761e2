"""The chooser of columns, and the settings' choice."""

from typing import Any

from oopscope_tui.app import OopscopeApp
from oopscope_tui.settings.settings import Settings
from oopscope_tui.widgets.columns import Columns
from tui.driving import LARGE, SMALL, enter, lines, press, running, text


def titles(app: OopscopeApp) -> list[str]:
    return lines(app)[3][: app.pane.main.size.width].split()


async def test_columns_that_have_no_room_are_told() -> None:
    async with running(size=SMALL) as (app, pilot):
        await press(app, pilot, "3")
        table = app.pane.main
        missing = len(table.columns) - len(table.laid_out())
        assert missing
        assert f"+{missing} column" in lines(app)[2]
        await press(app, pilot, "c")
        assert isinstance(app.focused, Columns)
        assert text(app).count("no room") == missing


async def test_hiding_moving_and_the_default() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3")
        assert titles(app)[:3] == ["PID", "S", "Command"]
        await press(app, pilot, "c", "j", "space")  # S goes
        await press(app, pilot, "j", "less_than_sign", "less_than_sign", "escape")  # Command to the front
        assert titles(app)[:2] == ["Command", "PID"]
        assert app.focused is app.pane.main
        await enter(app, pilot, "f", "state:D")  # a filter knows what does not show
        assert len(app.pane.main.view) == 3
        await press(app, pilot, "2", "3")
        assert titles(app)[:2] == ["Command", "PID"]
        await press(app, pilot, "c", "r", "enter")
        assert titles(app)[:3] == ["PID", "S", "Command"]


async def test_the_last_column_stays() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "9", "9", "c", *["space", "j"] * 12, *["k", "space"] * 12)
        assert len(app.pane.main.shown) >= 1
        assert app.pane.main.laid_out()


def sizes_of(table: Any) -> dict[str, int]:
    return {column.key: size for column, size in table.laid_out()}


async def test_widths() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "c", *"jj")
        table, chooser = app.pane.main, app.focused
        sizes = sizes_of(table)
        await press(app, pilot, "plus", "plus", "plus")
        assert sizes_of(table)["comm"] == sizes["comm"] + 3
        await press(app, pilot, *["minus"] * 40)
        assert sizes_of(table)["comm"] == 1
        assert chooser.row == "comm"


async def test_another_pane_closes_it() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "c", "2", "3")
        assert app.focused is app.pane.main
        assert not app.pane.query(Columns)


async def test_the_choice_holds_in_the_tree() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "c", "space", "escape", "t")
        assert titles(app)[:2] == ["S", "Command"]


async def test_the_order_is_said_where_a_column_is_narrow() -> None:
    async with running(size=LARGE) as (app, pilot):
        await press(app, pilot, "3", "c", *["j"] * 8, *["minus"] * 6, "escape")
        app.pane.main.sort_by(next(column for column in app.pane.main.columns if column.title == "Last ran"))
        await press(app, pilot)
        assert "↓" in lines(app)[3]
        await press(app, pilot, "R")
        assert "↑" in lines(app)[3]


async def test_the_settings_choose() -> None:
    settings = Settings(columns={"tasks": ("comm", "pid", "nonsense"), "mounts": ("target", "source")})
    async with running(size=LARGE, settings=settings) as (app, pilot):
        await press(app, pilot, "3")
        assert [column.key for column in app.pane.main.shown] == ["comm", "pid"]
        assert "no column 'nonsense' in tasks" in text(app)
        await press(app, pilot, "6")
        assert titles(app)[:3] == ["Mounted", "on", "Source"]
