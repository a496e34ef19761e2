"""The panes, one a file: those made specially, and where each stands; every other table has the generic pane.

A pane stands in one of the nine groups that are the tabs. A table says itself to which it belongs and in which order;
only panes that are no table have theirs here. Strings, so that a pane is imported when first shown.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from oopscope.subsystems import GROUPS, Table
from oopscope_tui.reading.store import Store

if TYPE_CHECKING:
    from oopscope_tui.panes.base import Pane


class View(NamedTuple):
    """What a tab can show: a pane's key, its title, and the group whose tab it is."""

    key: str
    title: str
    group: str


# There before any table is known, each the first of its group.
FIRST = (
    View("overview", "Overview", "overview"),
    View("cpus", "CPUs", "cpus"),
    View("tasks", "Tasks", "tasks"),
    View("memory", "Memory", "memory"),
    View("log", "Log", "log"),
)
LAST = (View("problems", "Problems", "system"),)
# The panes that are made specially, and the module whose PANE each is; help and below are in no tab.
SPECIAL: dict[str, str] = {
    "overview": "oopscope_tui.panes.overview",
    "cpus": "oopscope_tui.panes.cpus",
    "tasks": "oopscope_tui.panes.tasks.pane",
    "memory": "oopscope_tui.panes.memory",
    "log": "oopscope_tui.panes.log.pane",
    "modules": "oopscope_tui.panes.modules",
    "waits": "oopscope_tui.panes.waits",
}
# Not in the tab bar: reached by a key or a link.
HIDDEN: tuple[tuple[str, str, str], ...] = (
    ("help", "Keys", "oopscope_tui.panes.help"),
    ("explain", "Explain", "oopscope_tui.panes.explain"),
    ("symbol", "Symbol", "oopscope_tui.panes.symbol"),
    ("code", "Code", "oopscope_tui.panes.code"),
    ("struct", "Struct", "oopscope_tui.panes.struct"),
    ("words", "Words", "oopscope_tui.panes.words"),
    ("card", "Card", "oopscope_tui.panes.card"),
    ("dumps", "Dumps", "oopscope_tui.panes.dumps"),
)


def views(tables: Sequence[Table]) -> list[View]:
    """Return what the tabs can show, group by group, in the order of the tables."""
    known = {view.key for view in FIRST}
    others = [View(table.key, table.title, table.group) for table in tables if table.key not in known]
    order: list[str] = [group for group, _ in GROUPS]
    return sorted([*FIRST, *others, *LAST], key=lambda view: order.index(view.group))


def make(key: str, title: str, store: Store) -> "Pane":
    """Import and build the pane of a key; the generic one where there is no special one."""
    hidden = {name: (own, module) for name, own, module in HIDDEN}
    title, module = hidden.get(key) or (title, SPECIAL.get(key, "oopscope_tui.panes.generic"))
    pane: Pane = import_module(module).PANE(store, key, title)
    return pane
