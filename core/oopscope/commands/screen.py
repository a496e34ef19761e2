"""Commands of the screen alone: what it does that leads to no place. The shell has no such command."""

from collections.abc import Callable

from oopscope.commands.command import Act, Argument, Command, Line, Request


def _act(name: str) -> Callable[[Line], Request]:
    return lambda line: Act(name, " ".join(line.names))


COMMANDS: tuple[Command, ...] = (
    Command(
        ("explain",), "what the selected thing means, or a word", _act("explain"), (Argument("word", "topic"),),
        on="screen",
    ),
    Command(("glossary",), "every term that can be explained", lambda line: Act("explain", "index"), on="screen"),
    Command(("theme",), "other colours", _act("theme"), (Argument("NAME", "theme", True),), on="screen"),
    Command(
        ("write", "save"), "write the pane: .txt .csv .json .svg", _act("write"), (Argument("FILE", "file"),),
        on="screen",
    ),
    Command(("copy", "yank"), "copy the selected thing", _act("copy"), on="screen"),
    Command(("dumps",), "back to the list of dumps", _act("dumps"), on="screen"),
    Command(
        ("settings", "config"), "where the settings are; writes a file to begin with", _act("settings"), on="screen"
    ),
    Command(
        ("help", "keys", "?", "man"), "the keys of this place; how a command is used", _act("help"),
        (Argument("COMMAND", "command"),), on="screen",
    ),
    Command(("quit", "q", "q!", "exit"), "leave", _act("quit"), on="screen"),
)  # fmt: skip
