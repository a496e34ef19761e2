"""Places of the screen: what a link points to, what the history holds, what the `:` prompt understands."""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Place(NamedTuple):
    """A pane, the key of the selected row (a PID, a CPU, a log index, a name), and whether its detail is open."""

    pane: str
    key: int | str | None = None
    open: bool = False


# Words from crash(8), ps and the shell that fingers already know.
ALIASES = {
    "ps": "tasks", "processes": "tasks", "top": "tasks", "dmesg": "log", "lsmod": "modules", "mod": "modules",
    "mount": "mounts", "kmem": "memory", "free": "memory", "slabtop": "slabs", "sys": "overview", "home": "overview",
    "verdict": "overview", "help": "help", "keys": "help", "bt": "tasks", "cpu": "cpus", "pid": "tasks",
}  # fmt: skip


def understand(text: str, panes: Sequence[tuple[str, str]]) -> Place | None:
    """Return the place that a `:` line means, panes being (key, title); None for an empty line.

    A word that is no place is a symbol:
    `tasks`, `mem` (a unique beginning), `241` or `bt 241` (a PID), `cpu 1` or `c1`, `lab_read_balance` (a symbol).
    """
    words = text.split()
    if not words:
        return None
    head = words[0].lower()
    number = _number(words[-1])
    if re.fullmatch(r"(cpu|c)\d+", head):
        return Place("cpus", int(head.lstrip("cpu")), True)
    if len(words) == 1 and number is not None and not words[0].startswith("0x"):
        return Place("tasks", number, True)
    pane = _pane(head, panes)
    if pane is None:
        return Place("symbol", words[0])
    if len(words) == 1:
        return Place(pane)
    return Place(pane, number if number is not None else words[-1], True)


def _pane(word: str, panes: Sequence[tuple[str, str]]) -> str | None:
    keys = [key for key, _ in panes]
    if word in keys:
        return word
    if word in ALIASES:
        return ALIASES[word]
    found = [key for key, title in panes if key.startswith(word) or title.lower().startswith(word)]
    return found[0] if len(found) == 1 or (found and len(word) > 1) else None


def _number(word: str) -> int | None:
    try:
        return int(word, 0)
    except ValueError:
        return None
