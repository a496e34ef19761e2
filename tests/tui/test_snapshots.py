"""What every pane of the demo dump looks like at 80x24 and at 160x48, held cell by cell, and once what is around it.

A table more is a tab more, or a name in the status line: the pictures of the chrome change, not those of the panes.

After a change that is meant: pytest tests/tui/test_snapshots.py --snapshot-update, and look at what changed.
"""

from typing import Any

import pytest
from textual.pilot import Pilot

from oopscope.cli.demo import demo_path
from oopscope_tui.app import OopscopeApp
from oopscope_tui.places import Place
from oopscope_tui.reading.provider import Core
from tui.driving import LARGE, SMALL, settle

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


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
@pytest.mark.parametrize("place", PLACES, ids=name)
def test_pane(place: Any, size: tuple[int, int], snap_compare: Any) -> None:
    app = OopscopeApp([demo_path()], Core())

    async def look(pilot: Pilot[int]) -> None:
        await settle(app, pilot)
        await app.go(place)
        for chrome in (app.header, app.tabs, app.status, app.keyline):
            chrome.visible = False
        await settle(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=look)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x48"])
def test_chrome(size: tuple[int, int], snap_compare: Any) -> None:
    """Header, tabs, status and keys, around nothing."""
    app = OopscopeApp([demo_path()], Core())

    async def look(pilot: Pilot[int]) -> None:
        await settle(app, pilot)
        app.body.visible = False
        await settle(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=look)
