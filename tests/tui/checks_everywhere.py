"""What the keys that work everywhere must do."""

from itertools import pairwise

from pytest import MonkeyPatch
from textual.command import CommandPalette

from oopscope_tui.places import Place
from tui.driving import settle, text
from tui.stage import Check, Stage


def prompts(kind: str) -> Check:
    """The prompt opens, takes letters, and Escape takes it away with what it did."""

    async def check(stage: Stage, key: str) -> None:
        before, cursor = stage.where()[:2], stage.lines.cursor
        await stage.press(key)
        assert stage.app.prompt_line.is_open and stage.app.prompt_line.kind == kind
        await stage.press("ctrl+u", "o")
        assert stage.app.prompt_line.text == "o"
        await stage.press("escape")
        assert not stage.app.prompt_line.is_open
        assert stage.where()[:2] == before and stage.lines.cursor == cursor

    return check


async def back(stage: Stage, key: str) -> None:
    """Where one was before, with the same row."""
    here = stage.app.pane.here()
    elsewhere = Place("help" if here.pane != "help" else "tasks")
    await stage.app.go(elsewhere)
    await settle(stage.app, stage.pilot)
    assert stage.app.pane.key == elsewhere.pane
    await stage.press(key)
    assert stage.app.pane.here() == here


async def copies(stage: Stage, key: str) -> None:
    """What is selected is in the clipboard, or the screen says that nothing is."""
    stage.app.copy_to_clipboard("before")
    await stage.press(key)
    if stage.lines.row is None:
        assert "nothing is selected" in text(stage.app)
    else:
        assert stage.app.clipboard != "before"
        assert "copied" in text(stage.app)


async def copies_all(stage: Stage, key: str) -> None:
    """The lines of the section, or of a list's detail, or all."""
    await settle(stage.app, stage.pilot)  # the detail follows the cursor
    side, lines = stage.app.pane.side, stage.lines
    if lines.sections():
        starts = [0, *lines.sections()[1:], len(lines.view)]
        first, end = next((a, b) for a, b in pairwise(starts) if a <= lines.cursor < b)
    else:
        lines = side if side is not None and side.display else lines
        first, end = 0, len(lines.view)
    await stage.press(key)
    wanted = [lines.written(lines.view.row(at)).rstrip() for at in range(first, end)]
    assert stage.app.clipboard == "\n".join(wanted).rstrip("\n")


async def helps(stage: Stage, key: str) -> None:
    """Every key of the place is listed."""
    if stage.place.pane == "help":
        return
    own = stage.lines.KEYS
    await stage.press(key)
    assert stage.app.pane.key == "help"
    listed = "\n".join(stage.lines.words(row) for row in stage.lines.view.rows)
    for one in own:
        assert one.shown.partition(" ")[0] in listed and one.help in listed


def calls(name: str) -> Check:
    """The app is told; what it does then needs a terminal and is tested in test_pty."""

    async def check(stage: Stage, key: str) -> None:
        told: list[str] = []
        with MonkeyPatch.context() as patch:
            patch.setattr(stage.app, name, lambda *_args, **_more: told.append(name))
            patch.setattr(stage.app.reader, "stop", lambda: told.append("reader"))
            await stage.press(key)
        assert told == (["reader", name] if name == "exit" else [name])

    return check


async def leaves(stage: Stage, key: str) -> None:
    """The end, but of a text about a place that place."""
    if stage.place.pane not in ("help", "explain"):
        await calls("exit")(stage, key)
        return
    await stage.app.go(Place("tasks"))
    await stage.app.go(stage.place)
    await stage.press(key)
    assert stage.app.pane.key == "tasks"


async def numbers(stage: Stage, key: str) -> None:
    """The pane of that number."""
    app = stage.app
    group = next((tab.key for tab in app.tabs.tabs if tab.digit == int(key)), None)
    views = [view.key for view in app.views if view.group == group]
    here = stage.place.pane
    await stage.press(key)
    if not views:
        assert app.pane.key == here
    elif here in views and not stage.place.open:
        assert app.pane.key == views[(views.index(here) + 1) % len(views)]
    else:
        assert app.pane.key in views


def neighbours(step: int) -> Check:
    """The tab beside this one."""

    async def check(stage: Stage, key: str) -> None:
        order = [view.key for view in stage.app.views]
        at = order.index(stage.place.pane) if stage.place.pane in order else 0
        await stage.press(key)
        assert stage.app.pane.key == order[(at + step) % len(order)]

    return check


def next_views(step: int) -> Check:
    """The view beside this one in the same tab."""

    async def check(stage: Stage, key: str) -> None:
        group = next((view.group for view in stage.app.views if view.key == stage.place.pane), None)
        order = [view.key for view in stage.app.views if view.group == group]
        await stage.press(key)
        assert stage.app.pane.key == (
            order[(order.index(stage.place.pane) + step) % len(order)] if order else stage.place.pane
        )

    return check


async def palette(stage: Stage, key: str) -> None:
    """The list of commands, which goes again."""
    await stage.press(key)
    assert isinstance(stage.app.screen, CommandPalette)
    await stage.press("escape")
    assert not isinstance(stage.app.screen, CommandPalette)
    assert stage.app.pane.key == stage.place.pane


async def explains(stage: Stage, key: str) -> None:
    """A text about what is selected, and back."""
    here = stage.app.pane.here()
    await stage.press(key)
    if stage.app.pane.key == "explain":
        assert len(stage.lines.view) > 1
        if stage.place.pane != "explain":
            await stage.press("escape")
        assert stage.app.pane.here() == here
    else:
        assert stage.app.status.said
