"""Driving the screen without a terminal: start it on the fake core, wait until all is read, read what it shows."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.events import Key
from textual.pilot import Pilot

from oopscope_tui.app import OopscopeApp
from tui.fake import Fake

SMALL, LARGE = (80, 24), (160, 48)
PATIENCE = 2000  # pauses of 3 ms
CALM = 3  # pauses without a change
NAMES = {":": "colon", "/": "slash"}


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
    """Wait until nothing is being read, asked, filtered or searched, and the screen stays as it is."""
    before, same = "", 0
    for _ in range(PATIENCE):
        waited = is_busy(app)
        await handled(app, pilot)  # what the reader told when it was through, too
        if waited or is_busy(app):
            continue
        shown = text(app)
        same = same + 1 if shown == before else 0
        before = shown
        if same == CALM:
            break


def is_busy(app: OopscopeApp) -> bool:
    """Tell whether there is something to come without a key."""
    busy = app.pane is None or app.pane.active._working or app.pane.resting or app.reader._jobs
    return bool(busy or not (app.idle or app.folder)) and not app.failure


async def handled(app: OopscopeApp, pilot: Pilot[int]) -> None:
    """Wait until the app has done all that was posted to it: it takes one after another."""
    await pilot.pause(0.003)
    done: list[bool] = []
    app.call_later(done.append, True)
    while not done and app.is_running:
        await pilot.pause(0)


async def press(app: OopscopeApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys and wait for what they do."""
    for key in keys:
        await tap(app, pilot, key)
    await settle(app, pilot)


async def tap(app: OopscopeApp, pilot: Pilot[int], key: str) -> None:
    """Press one key, and wait no longer than it is handled: the pilot's own press waits for an idle processor."""
    app.post_message(Key(key, key if len(key) == 1 else None))
    await pilot.pause(0)


async def enter(app: OopscopeApp, pilot: Pilot[int], opener: str, words: str) -> None:
    """Open a prompt, type a line and press Enter, faster than anything is painted."""
    for key in (opener, "ctrl+u", *words, "enter"):
        app.post_message(Key(NAMES.get(key, key), key if len(key) == 1 else None))
    await settle(app, pilot)
