"""Stored dumps on the screen: all panes, at both sizes by turns, nothing failed, everything in its shape."""

from typing import Any

import pytest

import stored
from cases import held
from oopscope_tui.reading.provider import Core
from tui.driving import LARGE, SMALL, press, running, text

# The oldest kernel, the newest and one between: each costs seconds, and tests/core reads all of them.
DUMPS = [stored.DUMPS / f"{name}.kdump" for name in ("5.10-softlockup", "6.12-nmi", "7.3-oom")]


@pytest.mark.thorough
@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
async def test_every_pane_of_a_dump(dump: Any) -> None:
    size = (SMALL, LARGE)[DUMPS.index(dump) % 2]
    async with running(Core(), size, [dump]) as (app, pilot):
        assert app.failure == ""
        verdict = app.store.verdict
        assert verdict.title in text(app)
        assert app.store.oops is not None
        for tab in app.views:
            await app.go(app.pane.here()._replace(pane=tab.key, key=None, open=False))
            await press(app, pilot, "G", "enter")
            assert not held(tab.key, dump.stem) or app.store.feed(tab.key).why == ""
            assert all(strip.cell_length == size[0] for strip in app.lines_on_screen())
