"""Places of the screen: what a link points to and what the history holds; acts: what a command does instead."""

from typing import NamedTuple


class Place(NamedTuple):
    """A pane, the key of the selected row (a PID, a CPU, a log index, a name), and whether its detail is open."""

    pane: str
    key: int | str | None = None
    open: bool = False


class Act(NamedTuple):
    """Something that the app does: its name in acts.ACTS, and what was typed after it."""

    name: str
    argument: str = ""


Target = Place | Act
