"""Driving the screen without a terminal: start it on the fake core, wait until all is read, read what it shows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from pytest import MonkeyPatch
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.events import Key
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.timer import Timer

from oopscope_tui.app import OopscopeApp
from oopscope_tui.reading.provider import Core
from oopscope_tui.widgets import chrome
from tui.fake import Fake

SMALL, LARGE = (80, 24), (160, 48)
PATIENCE = 120.0  # seconds
CALM = 3  # turns of the event loop without anything to do: what another thread posts comes in with the next one
TURN, LONG_TURN = 0.001, 0.02  # seconds that the reader's thread is given: at first, and when it takes long
SOON = 0.5  # seconds: a timer of less is a slice of work
RENDER = Compositor.render_update
NAMES = {":": "colon", "/": "slash"}


class Opened(Core):
    """The real thing, of which each dump is opened and read once: for tests of what is shown, not of how it is read."""

    _kernels: ClassVar[dict[tuple[str, ...], Any]] = {}

    def open(self, paths: Sequence[str | Path], progress: Callable[[str], None]) -> Any:
        """Open what no test before has opened."""
        key = tuple(map(str, paths))
        if key not in self._kernels:
            self._kernels[key] = super().open(paths, progress)
        return self._kernels[key]


def lines(app: OopscopeApp) -> list[str]:
    """Return the screen's text, line by line."""
    visible_screen_stack.set(app._background_screens)
    return [strip.text for strip in app.lines_on_screen()]


def text(app: OopscopeApp) -> str:
    return "\n".join(lines(app))


@asynccontextmanager
async def running(
    fake: Any = None, size: tuple[int, int] = SMALL, paths: Sequence[Path] = (Path("vmcore"),), **more: Any
) -> AsyncIterator[tuple[OopscopeApp, Pilot[int]]]:
    """Run the screen until everything of the fake is read.

    It is painted once, at the end, and where a test looks at it: what each of many steps painted, nobody saw. A message
    on the status line stays, however slow the machine is.
    """
    app = OopscopeApp(paths, fake or Fake(), **more)
    with MonkeyPatch.context() as patch:
        patch.setattr(Compositor, "render_update", put_off)
        patch.setattr(chrome, "SAID_SECONDS", PATIENCE)
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot)
            yield app, pilot
            if app.is_running:
                paint(app)


def paint(app: OopscopeApp) -> None:
    """Paint what is due, as the next frame would."""
    RENDER(app.screen._compositor, screen_stack=app._background_screens)


def put_off(_compositor: Compositor, screen_stack: list[Screen[Any]] | None = None, **_more: bool) -> None:
    """Paint nothing yet: what is due stays due."""
    visible_screen_stack.set(screen_stack or [])


async def settle(app: Any, pilot: Pilot[int]) -> None:
    """Wait until nothing is being read, asked, filtered or searched, and all is done and painted that was posted.

    No time has to pass for it: a widget at rest waits for its next message, and the reader's messages are events.
    """
    until, turn = monotonic() + PATIENCE, TURN
    while app.is_running:
        await handled(app)
        if not hurry(app) and not awaits(app):
            await handled(app)  # what the reader posted before it was through comes in with the next turn
            if not awaits(app):
                break
        assert monotonic() < until, f"no rest: {what_is_busy(app)}"
        await asyncio.sleep(turn)
        turn = min(turn * 1.5, LONG_TURN)


async def handled(app: OopscopeApp) -> None:
    """Wait until every widget has done all that was posted to it, and all is painted; work goes on."""
    turns = 0
    while app.is_running and turns < CALM:
        await asyncio.sleep(0)
        if some_works(app):
            turns = 0
        elif is_unpainted(app.screen):
            app.screen._on_timer_update()  # as the timer of a frame would
            turns = 0
        else:
            turns += 1


def pumps(app: OopscopeApp) -> list[MessagePump]:
    """Return all that takes messages."""
    return [app, *app._registry]


def some_works(app: OopscopeApp) -> bool:
    """Tell whether a widget has not handled all that was posted to it, or does not wait for more."""
    for pump in pumps(app):
        queue: Any = pump._message_queue
        if pump._next_callbacks or not queue.ready_event._waiters or not queue.empty():
            return True
    return False


def is_unpainted(screen: Screen[Any]) -> bool:
    due = screen._layout_required or screen._scroll_required or screen._repaint_required or screen._dirty_widgets
    return bool(due or screen._callbacks)


def awaits(app: OopscopeApp) -> bool:
    """Tell whether something is being read, or a timer's next slice of work is to come."""
    return is_busy(app) or any(timer._task is not None and not timer._task.done() for timer in slices(app))


def slices(app: OopscopeApp) -> Iterator[Timer]:
    """Go through the timers of what goes on by itself; that of a message, which goes after seconds, is none."""
    for pump in pumps(app):
        yield from (timer for timer in pump._timers if timer._repeat == 0 and timer._interval < SOON)


def hurry(app: OopscopeApp) -> bool:
    """Let a detail follow its cursor now: no other key comes. Return whether there is one that has not."""
    pane = app.pane
    if pane is None or pane.resting is None:
        return False
    pane.resting.stop()
    pane.call_next(pane._rested)
    return True


def what_is_busy(app: OopscopeApp) -> list[object]:
    """Return what `awaits` waits for, for the message of a test that fails."""
    pane = app.pane
    lines = (pane.active._working, pane.resting) if pane is not None else ()
    return [pane, *lines, app.reader._jobs, app.reading, *slices(app)]


def is_busy(app: OopscopeApp) -> bool:
    """Tell whether there is something to come without a key."""
    busy = app.pane is None or app.pane.active._working or app.pane.resting or app.reader._jobs
    return bool(busy or not (app.idle or app.folder)) and not app.failure


async def press(app: OopscopeApp, pilot: Pilot[int], *keys: str) -> None:
    """Press keys and wait for what they do."""
    for key in keys:
        await tap(app, pilot, key)
    await settle(app, pilot)


async def tap(app: OopscopeApp, pilot: Pilot[int], key: str) -> None:
    """Press one key, and wait no longer than it is handled: the pilot's own press waits for an idle processor."""
    app.post_message(Key(key, key if len(key) == 1 else None))
    await handled(app)


async def enter(app: OopscopeApp, pilot: Pilot[int], opener: str, words: str) -> None:
    """Open a prompt, type a line and press Enter, faster than anything is painted."""
    for key in (opener, "ctrl+u", *words, "enter"):
        app.post_message(Key(NAMES.get(key, key), key if len(key) == 1 else None))
    await settle(app, pilot)
