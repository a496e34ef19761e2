"""What the `:` prompt offers, one by one: as it is shown, what it stands for, how well it fits."""

from typing import NamedTuple

from oopscope_tui.places import Target


class Choice(NamedTuple):
    """Something to choose: how it is shown, the line that it stands for, its kind, what it is, where it leads."""

    shown: str
    line: str
    kind: str
    what: str
    target: Target | None


class Ranked(NamedTuple):
    """A choice that fits, in the order of how well."""

    rank: tuple[int, int, int, int, int]
    choice: Choice
    positions: tuple[int, ...]
