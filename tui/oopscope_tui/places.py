"""Places of the screen: what a link points to and what the history holds; acts: what a command does instead."""

from typing import NamedTuple

from oopscope.commands.command import Act as Act


class Place(NamedTuple):
    """A pane, the key of the selected row (a PID, a CPU, a log index, a name), and whether its detail is open.

    where, sort: the filter that its list gets, the column by which it is ordered; empty for as it is.
    """

    pane: str
    key: int | str | None = None
    open: bool = False
    where: str = ""
    sort: str = ""


Target = Place | Act
