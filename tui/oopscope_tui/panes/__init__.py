"""The panes, one a file: those made specially, and where each stands; every other table has the generic pane.

A pane stands in one of the nine groups that are the tabs. A table says itself to which it belongs and in which order,
and what its rows are; only what is no table, or is there before the tables are, has that here. Strings, so that a pane
is imported when first shown.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from oopscope.subsystems import GROUPS, Table, every_table, table_of
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Store

if TYPE_CHECKING:
    from oopscope_tui.panes.base import Pane


class View(NamedTuple):
    """What a tab can show: a pane's key, its title, and the group whose tab it is."""

    key: str
    title: str
    group: str


class Special(NamedTuple):
    """A pane that is made specially: its key, its title, the module whose PANE it is.

    group: the tab that it stands in; none for what only a key or a link leads to. first: there before any table is
    known. tables: what it shows of these is all that is asked of them without a row. thing: what it shows one of, for
    things that are no rows of a table.
    """

    key: str
    title: str
    module: str
    group: str = ""
    first: bool = False
    tables: tuple[str, ...] = ()
    thing: str = ""


SPECIAL: tuple[Special, ...] = (
    Special("overview", "Overview", "oopscope_tui.panes.overview", "overview", True, ("system",)),
    Special("cpus", "CPUs", "oopscope_tui.panes.cpus", "cpus", True),
    Special("tasks", "Tasks", "oopscope_tui.panes.tasks.pane", "tasks", True),
    Special("memory", "Memory", "oopscope_tui.panes.memory", "memory", True, ("meminfo",)),
    Special("log", "Log", "oopscope_tui.panes.log.pane", "log", True),
    Special("modules", "Modules", "oopscope_tui.panes.modules", "system"),
    Special("waits", "Waits", "oopscope_tui.panes.waits", "waits"),
    Special("help", "Keys", "oopscope_tui.panes.help"),
    Special("explain", "Explain", "oopscope_tui.panes.explain"),
    Special("symbol", "Symbol", "oopscope_tui.panes.symbol", thing="symbol"),
    Special("code", "Code", "oopscope_tui.panes.code", thing="code"),
    Special("struct", "Struct", "oopscope_tui.panes.struct", thing="struct"),
    Special("words", "Words", "oopscope_tui.panes.words", thing="memory"),
    Special("card", "Card", "oopscope_tui.panes.card"),
    Special("dumps", "Dumps", "oopscope_tui.panes.dumps"),
)
FIRST = tuple(View(one.key, one.title, one.group) for one in SPECIAL if one.first)
LAST = (View("problems", "Problems", "system"),)
GENERIC = "oopscope_tui.panes.generic"


def views(tables: Sequence[Table]) -> list[View]:
    """Return what the tabs can show, group by group, in the order of the tables."""
    known = {view.key for view in FIRST}
    others = [View(table.key, table.title, table.group) for table in tables if table.key not in known]
    order: list[str] = [group for group, _ in GROUPS]
    return sorted([*FIRST, *others, *LAST], key=lambda view: order.index(view.group))


def make(key: str, title: str, store: Store) -> "Pane":
    """Import and build the pane of a key; the generic one where there is no special one."""
    special = next((one for one in SPECIAL if one.key == key), None)
    if special is not None and not special.group:
        title = special.title
    pane: Pane = import_module(special.module if special is not None else GENERIC).PANE(store, key, title)
    return pane


def shown_in(key: str) -> str:
    """Return the pane that a table as a whole is looked at in."""
    return next((one.key for one in SPECIAL if key in one.tables), key)


def place_of(thing: str, key: int | str | None) -> Place | None:
    """Return the place of a thing by its kind: its own pane, else its row in a table; None for what has none."""
    special = next((one for one in SPECIAL if one.thing == thing), None) if thing else None
    if special is not None:
        return Place(special.key, key)
    table = table_of(thing)
    return Place(table.key, key, True) if table is not None else None


def thing_in(pane: str) -> str:
    """Return what a pane shows one of, or has a row for each; empty where that has no name."""
    special = next((one for one in SPECIAL if one.key == pane and one.thing), None)
    if special is not None:
        return special.thing
    return next((one.thing for one in every_table() if one.key == pane), "")
