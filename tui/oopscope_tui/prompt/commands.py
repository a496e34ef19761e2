"""The commands of the `:` prompt, one a line of a table: its words, what follows them, and the place that it means.

The words are those of crash(8), ps and the shell, which fingers know already. The prompt, its completion, the command
palette and the help are made from the table. A line that is no command is a pane, a PID, a CPU or a symbol.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from oopscope_tui.places import Act, Place, Target

Panes = Sequence[tuple[str, str]]  # key and title of each


class Command(NamedTuple):
    """One command.

    `takes` names what completion offers after it (completing.SOURCES), empty for nothing; `usage` is how the help
    writes that; `target` makes a place or an act of the words that follow.
    """

    words: tuple[str, ...]
    takes: str
    usage: str
    help: str
    target: Callable[[list[str]], Target]

    @property
    def needs(self) -> bool:
        """Whether it says nothing without a word after it."""
        return bool(self.usage) and not self.usage.startswith("[")


def goes(pane: str) -> Callable[[list[str]], Target]:
    """Return a target that is a pane, or the row of it that the last word names."""

    def target(words: list[str]) -> Target:
        names = [word for word in words if not word.startswith("-")]
        if not names:
            return Place(pane)
        number = as_number(names[-1])
        return Place(pane, number if number is not None else names[-1], True)

    return target


def acts(name: str) -> Callable[[list[str]], Target]:
    """Return a target that is an act on what follows."""
    return lambda words: Act(name, " ".join(words))


def _stack(words: list[str]) -> Target:
    """A task's stack, of `-c N` a CPU's, of nothing the culprit's."""
    if words[:1] == ["-c"] and len(words) > 1 and (cpu := as_number(words[1])) is not None:
        return Place("cpus", cpu, True)
    if words[:1] == ["-a"]:
        return Place("cpus")
    return goes("tasks")(words) if words else Place("tasks", None, True)


def _kmem(words: list[str]) -> Target:
    """What crash's kmem shows: -s slabs, -z zones, else all of memory."""
    option = words[0] if words else ""
    if option[:2] in ("-s", "-S"):
        return goes("slabs")(words[1:])
    return Place("zones") if option == "-z" else Place("memory")


def _first(pane: str) -> Callable[[list[str]], Target]:
    """Return a target whose key is the first word: a name or an address, whichever it looks like."""
    return lambda words: Place(pane, words[0]) if words else Place(pane)


def _struct(words: list[str]) -> Target:
    """A type, and perhaps the address of one; `struct` itself may be said twice."""
    names = [word for word in words if word not in ("struct", "union")]
    return Place("struct", "@".join(names[:2])) if names else Place("struct")


COMMANDS: tuple[Command, ...] = (
    Command(("bt",), "task", "[PID | -c CPU | -a]", "the stack of a task or of a CPU", _stack),
    Command(("ps", "top", "task", "set", "pid"), "task", "[PID | name]", "tasks, or one of them", goes("tasks")),
    Command(("vm", "files"), "task", "[PID]", "a task's memory and files", goes("tasks")),
    Command(("cpu", "runq"), "cpu", "[N]", "what each CPU did", goes("cpus")),
    Command(("log", "dmesg"), "", "[record]", "the kernel's log", goes("log")),
    Command(("mod", "lsmod"), "module", "[name]", "modules, or one of them", goes("modules")),
    Command(("mount",), "", "", "mounted file systems", goes("mounts")),
    Command(("kmem", "free"), "", "[-i | -s | -z]", "memory; -s slabs, -z zones", _kmem),
    Command(("slab", "slabtop"), "slab", "[name]", "slab caches, or one of them", goes("slabs")),
    Command(("sym",), "symbol", "NAME | ADDRESS", "a symbol or an address: what it is, who is in it", _first("symbol")),
    Command(("struct", "union"), "", "TYPE[.MEMBER] [ADDRESS]", "a type's members and, at an address, values", _struct),
    Command(("rd", "x"), "symbol", "ADDRESS | NAME", "memory as words, with what each means", _first("words")),
    Command(("dis",), "symbol", "NAME | ADDRESS", "a function's code", _first("code")),
    Command(("sys", "home", "verdict"), "", "", "what happened, and on which machine", goes("overview")),
    Command(("explain",), "topic", "[word]", "what the selected thing means, or a word", acts("explain")),
    Command(("theme",), "theme", "NAME", "other colours", acts("theme")),
    Command(("write", "save"), "", "[FILE]", "write the pane: .txt .csv .json .svg", acts("write")),
    Command(("copy", "yank"), "", "", "copy the selected thing", acts("copy")),
    Command(("dumps",), "", "", "back to the list of dumps", acts("dumps")),
    Command(("settings", "config"), "", "", "where the settings are; writes a file to begin with", acts("settings")),
    Command(("help", "keys", "?"), "", "", "the keys of this place", acts("help")),
    Command(("quit", "q", "q!", "exit"), "", "", "leave", acts("quit")),
)
BY_WORD = {word: command for command in COMMANDS for word in command.words}


def understand(text: str, panes: Panes) -> Target | None:
    """Return what a `:` line means; None for an empty line. What is nothing else is a symbol (`is_guess` tells).

    `tasks`, `mem` (a beginning), `241` or `bt 241` (a PID), `cpu 1` or `c1`, `theme dark`, `lab_read_balance`.
    """
    words = text.split()
    if not words:
        return None
    return _known(words, panes) or Place("symbol", words[0])


def is_guess(text: str, panes: Panes) -> bool:
    """Return whether a line may want what fits it best: a symbol for want of anything better, the name of a task."""
    words = text.split()
    if not words or as_number(words[-1]) is not None:
        return False
    command = BY_WORD.get(words[0].lower()) if len(words) > 1 else None
    return _known(words, panes) is None or (command is not None and bool(command.takes) and words[-1][0] != "-")


def wants_more(text: str) -> bool:
    """Return whether a line is a command that says nothing without a word after it."""
    words = text.split()
    command = BY_WORD.get(words[0].lower()) if len(words) == 1 else None
    return command is not None and command.needs


def _known(words: list[str], panes: Panes) -> Target | None:
    head = words[0].lower()
    if re.fullmatch(r"(cpu|c)\d+", head):
        return Place("cpus", int(head.lstrip("cpu")), True)
    number = as_number(head)
    if number is not None:
        return Place("tasks", number, True) if len(words) == 1 and not head.startswith("0x") else None
    if head not in (key for key, _ in panes) and head in BY_WORD:
        return BY_WORD[head].target(words[1:])
    pane = _pane(head, panes)
    return goes(pane)(words[1:]) if pane is not None else None


def _pane(word: str, panes: Panes) -> str | None:
    if word in (key for key, _ in panes):
        return word
    found = [key for key, title in panes if key.startswith(word) or title.lower().startswith(word)]
    return found[0] if len(found) == 1 or (found and len(word) > 1) else None


def as_number(word: str) -> int | None:
    """Return a word as a number, 0x and the like understood; None for what is none."""
    if len(word) > 40:  # int() takes long over long ones
        return None
    try:
        return int(word, 0)
    except ValueError:
        return int(word) if word.isascii() and word.isdigit() else None
