"""What every pane of the demo dump looks like at 80x24 and at 160x48, held cell by cell, and once what is around it.

A table more is a tab more, or a name in the status line: the pictures of the chrome change, not those of the panes.

After a change that is meant: pytest tests/tui/test_snapshots.py --snapshot-update, and look at what changed.
"""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from textual import _doc
from textual._compositor import Compositor

from oopscope.cli.demo import demo_path
from oopscope_tui.app import OopscopeApp
from oopscope_tui.places import Place
from oopscope_tui.reading.provider import Core
from tui.driving import LARGE, SMALL, running, settle

SIZES = {"80x24": SMALL, "160x48": LARGE}

# What is in the generic pane looks like any other there: a table more needs no picture.
PLACES = [
    *(Place(key) for key in ("overview", "cpus", "tasks", "memory", "log", "modules", "locks", "mounts", "coverage")),
    *(Place(key) for key in ("slabs", "zones", "meminfo", "system", "problems")),
    *(
        Place("cpus", 0, True),
        Place("tasks", 1, True),
        Place("log", 300, True),
        Place("modules", None, True),
    ),
    *(Place("symbol", "do_idle"), Place("struct", "task_struct@init_task"), Place("words", "init_task")),
    *(Place("explain", "cause:null-pointer-dereference"), Place("help")),
]


def name(place: Place) -> str:
    return f"{place.pane}{'-detail' if place.open else ''}"


@pytest.mark.parametrize(
    ("place", "size"),
    [pytest.param(place, size, id=f"{name(place)}-{size}") for size in SIZES for place in PLACES],
)
def test_pane(place: Place, size: str, compared: Callable[[str], bool]) -> None:
    assert compared(pictures(size)[name(place)])


@pytest.mark.parametrize("size", SIZES, ids=SIZES)
def test_chrome(size: str, compared: Callable[[str], bool]) -> None:
    """Header, tabs, status and keys, around nothing."""
    assert compared(pictures(size)["chrome"])


@pytest.fixture
def compared(snap_compare: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], bool]:
    """Hold a picture that is taken already against the stored one of the test's name."""

    def compare(picture: str) -> bool:
        monkeypatch.setattr(_doc, "take_svg_screenshot", lambda **_more: picture)
        return snap_compare(OopscopeApp([demo_path()], Core()))

    return compare


@cache
def pictures(size: str) -> dict[str, str]:
    """Return a picture of each place and of the chrome, taken one after the other in one run of the screen."""
    return asyncio.run(_taken(SIZES[size]))


async def _taken(size: tuple[int, int]) -> dict[str, str]:
    taken, export = {}, Compositor.render_update
    async with running(Core(), size, [demo_path()]) as (app, pilot):  # which no other test has asked for pages

        def take(what: str) -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Compositor, "render_update", export)
                taken[what] = app.export_screenshot(title=app.title, simplify=True)

        app.lines_on_screen()  # the keys are those of the body that goes
        app.body.visible = False
        await settle(app, pilot)
        take("chrome")
        app.body.visible = True
        for chrome in (app.header, app.tabs, app.status, app.keyline):
            chrome.visible = False
        for place in PLACES:
            await app.go(place)
            await settle(app, pilot)
            take(name(place))
    return taken
