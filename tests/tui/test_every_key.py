"""Every key that `?` lists, pressed in every pane of the demo dump: each does what it says."""

import pytest

from oopscope.cli.demo import demo_path
from oopscope.subsystems import TABLES
from oopscope_tui import keys
from oopscope_tui.panes import tabs
from oopscope_tui.places import Place
from oopscope_tui.provider import Core
from tui.driving import LARGE, SMALL, running
from tui.every_key import Stage, walk

PLACES = [
    *(Place(key) for key, _ in tabs(tuple((key, key) for key, _ in TABLES))),
    *(
        Place("cpus", None, True),
        Place("tasks", 1, True),
        Place("log", None, True),
        Place("modules", None, True),
    ),
    *(Place("symbol", "do_idle"), Place("help")),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.pane}{'-detail' if place.open else ''}")
async def test_every_key(place):
    size = (SMALL, LARGE)[PLACES.index(place) % 2]
    async with running(Core(), size, [demo_path()]) as (app, pilot):
        stage = Stage(app, pilot, place)
        await stage.begin()
        pressed = await walk(stage, (*stage.lines.KEYS, *keys.EVERYWHERE))
        assert len(pressed) >= len(keys.LINES) + len(keys.EVERYWHERE)
