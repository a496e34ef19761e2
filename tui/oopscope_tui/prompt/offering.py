"""What an empty `:` line offers: what was typed last, and commands for the place and what is selected."""

from collections.abc import Sequence
from typing import Any

from oopscope.commands.command import Act as CommandAct
from oopscope.commands.register import BY_WORD, request
from oopscope_tui.prompt.choice import Choice, Ranked
from oopscope_tui.prompt.commands import Panes, understand

LAST = 4  # lines that were typed
ANYWHERE = ("bt", "log", "ps -m", "foreach UN bt", "kmem -i", "help")


def fits_here(lately: list[str], commands: Sequence[str], row: Any, panes: Panes) -> list[Ranked]:
    """Return the lines as choices, the likeliest first; `commands` are those of the place, {name} a column of the row.

    A line for which the row has no value is left out.
    """
    lines = [*((line, "last") for line in lately[:LAST]), *((line, "here") for line in _of_row(commands, row))]
    lines += [(line, "command") for line in ANYWHERE]
    seen: dict[str, str] = {}
    for line, kind in lines:
        seen.setdefault(line, kind)
    return [
        Ranked((at, 0, 0, 0, 0), Choice(line, line, kind, told(line), understand(line, panes)), ())
        for at, (line, kind) in enumerate(seen.items())
    ]


def _of_row(commands: Sequence[str], row: Any) -> list[str]:
    found = []
    for template in commands:
        try:
            names = {name: getattr(row, name) for name in _names(template)}
        except AttributeError:
            continue
        if all(value not in (None, "") and not (isinstance(value, str) and " " in value) for value in names.values()):
            found.append(template.format(**names))
    return found


def _names(template: str) -> list[str]:
    return [part.partition(":")[0].partition("}")[0] for part in template.split("{")[1:]]


def told(line: str) -> str:
    """Return what a line does, in a sentence: the command's, with that of each of its options; or why it cannot."""
    words = line.split()
    command = BY_WORD.get(words[0].lower()) if words else None
    if command is None:
        return ""
    asked = request(line)
    text = getattr(asked, "text", None)
    if text is not None and not isinstance(asked, CommandAct):
        return str(text)
    helps = {option.name: option.help for option in command.options}
    chosen = [helps[letter] for word in words[1:] for letter in command.letters(word) if helps.get(letter)]
    chosen += [lacks] if (lacks := command.lacks(words[1:])) else []
    return f"{command.help}: {', '.join(chosen)}" if chosen else command.help
