"""What commands do that lead to no place: one function each, and the table of them."""

from collections.abc import Awaitable, Callable

from oopscope.commands.register import told
from oopscope_tui.look import palette
from oopscope_tui.places import Place
from oopscope_tui.scope import Desk


async def _theme(app: Desk, name: str) -> None:
    """Draw in other colours."""
    if name not in palette.PALETTES:
        app.status.say(f"no theme {name}; there are {', '.join(palette.NAMES)}", failed=True)
        return
    app.use_theme(name)
    app.status.say(f"theme {name}: {palette.PALETTES[name].help}")


async def _explain(app: Desk, word: str) -> None:
    """Explain what is selected, or a word; `index` lists all that can be explained."""
    if not word:
        await app.action_explain()
        return
    from oopscope_tui.panes.explain import INDEX, explained_at, topics_asked

    if word in ("index", "glossary"):
        await app.go(Place("explain", INDEX))
        return
    found = topics_asked(word)
    if found:
        await app.go(explained_at(found))
    else:
        app.status.say(f"nothing is said of {word}", failed=True)


async def _write(app: Desk, name: str) -> None:
    """Write the pane to a file."""
    if name:
        app.asking.write(name)
    else:
        app.action_prompt("write")


async def _copy(app: Desk, _: str) -> None:
    app.action_copy()


async def _help(app: Desk, word: str) -> None:
    """Show the keys of the place; of a command, how it is used."""
    if not word:
        await app.action_help()
        return
    if not told(word):
        app.status.say(f"no command {word}: ? lists those that there are", failed=True)
        return
    await app.go(Place("help"))
    show = getattr(app.pane, "command", None)
    if show is not None:
        show(word)


async def _say(app: Desk, text: str) -> None:
    """Say that what was asked for is not there, and what is nearest."""
    app.status.say(text, failed=True)


async def _quit(app: Desk, _: str) -> None:
    await app.action_quit()


async def _dumps(app: Desk, _: str) -> None:
    """Go back to the list of dumps."""
    if app.back is not None:
        app.leave_for(app.back)
    elif not app.folder:
        app.status.say("there is no list: oopscope FOLDER opens one", failed=True)


async def _open(app: Desk, path: str) -> None:
    """Open a dump of the list."""
    found = next((row.path for row in app.store.dumps if str(row.path) == path), None)
    if found is not None:
        app.leave_for(found)


async def _log(app: Desk, clock: str) -> None:
    """Show the log, with the wall clock's times."""
    await app.go(Place("log"))
    lines = app.pane.active if app.pane is not None else None
    times = getattr(lines, "times", None)
    if lines is not None and times is not None:
        times.chosen = clock.upper()
        lines.refresh()
        if times.shown != times.chosen:
            app.status.say("the wall clock is not known, so no UTC", failed=True)


async def _settings(app: Desk, _: str) -> None:
    """Say where the settings are; where there are none, write a file in which everything is a comment."""
    from oopscope_tui.settings.example import write_example

    app.status.say(*write_example(app.settings.path))


ACTS: dict[str, Callable[[Desk, str], Awaitable[None]]] = {
    "explain": _explain,
    "theme": _theme,
    "write": _write,
    "copy": _copy,
    "help": _help,
    "say": _say,
    "quit": _quit,
    "dumps": _dumps,
    "open": _open,
    "settings": _settings,
    "log": _log,
}
