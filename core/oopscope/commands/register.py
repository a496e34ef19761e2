"""The one register of commands: the shell, the `:` prompt, completion, the manual and the help are made from it.

To add one: a line in COMMANDS of a file here. A command of crash's that is not there has its line too, which says
what is nearest: a word that fingers know never leads somewhere else in silence.
"""

from oopscope.commands import machine, memory, screen, tasks, types
from oopscope.commands.command import Command, Request, Say

COMMANDS: tuple[Command, ...] = (
    *tasks.COMMANDS,
    *machine.COMMANDS,
    *memory.COMMANDS,
    *types.COMMANDS,
    *screen.COMMANDS,
)
BY_WORD = {word: command for command in COMMANDS for word in command.words}
HERE = tuple(command for command in COMMANDS if command.there)


def request(text: str) -> Request | None:
    """Return what a line asks for; None where its first word is no command."""
    words = text.split()
    command = BY_WORD.get(words[0].lower()) if words else None
    return command.ask(words[1:]) if command is not None else None


def told(word: str) -> str:
    """Return a command in one line: how it is used and what it does; an empty text for no command."""
    command = BY_WORD.get(word.lower())
    if command is None:
        return ""
    if not command.there:
        answer = command.ask([])
        return answer.text if isinstance(answer, Say) else ""
    return f"{command.name} {command.usage}".rstrip() + f": {command.help}"
