"""Driving the screen without a terminal: start it on the fake core, wait until all is read, read what it shows."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from oopscope_tui.app import OopscopeApp
from tui.fake import Fake

SMALL, LARGE = (80, 24), (160, 48)
PATIENCE = 400  # pauses of 10 ms


def lines(app: OopscopeApp) -> list[str]:
    """Return the screen's text, line by line."""
    return [strip.text for strip in app.lines_on_screen()]


def text(app: OopscopeApp) -> str:
    return "\n".join(lines(app))


@asynccontextmanager
async def running(
    fake: Fake | None = None, size: tuple[int, int] = SMALL, paths: Sequence[Path] = (Path("vmcore"),), **more: Any
) -> AsyncIterator[tuple[OopscopeApp, Pilot[int]]]:
    """Run the screen until everything of the fake is read."""
    app = OopscopeApp(paths, fake or Fake(), **more)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        yield app, pilot


async def settle(app: OopscopeApp, pilot: Pilot[int]) -> None:
    """Wait until nothing is being read, filtered or searched, and all is painted."""
    for _ in range(PATIENCE):
        await pilot.pause(0.01)
        busy = app.pane is not None and app.pane.active._working
        if (app.idle or app.folder or app.failure) and not busy and not app.reader._jobs:
            break
    await pilot.pause()
    await pilot.pause()


async def press(app: OopscopeApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys and wait for what they do."""
    await pilot.press(*keys)
    await settle(app, pilot)


async def enter(app: OopscopeApp, pilot: Pilot[int], opener: str, words: str) -> None:
    """Open a prompt, type a line and press Enter."""
    await pilot.press(opener)
    await pilot.pause()
    app.prompt_line._input.value = words
    await pilot.press("enter")
    await settle(app, pilot)
