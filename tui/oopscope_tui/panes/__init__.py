"""The panes, one a file, and the table of those that a table of core has made specially for it.

A table without a line here gets the generic pane by itself. Strings, so that a pane is imported when first shown.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from oopscope_tui.reading.store import Store

if TYPE_CHECKING:
    from oopscope_tui.panes.base import Pane

# Key, title, and the module whose PANE it is; in the order of the tabs.
PANES: tuple[tuple[str, str, str], ...] = (
    ("overview", "Overview", "oopscope_tui.panes.overview"),
    ("cpus", "CPUs", "oopscope_tui.panes.cpus"),
    ("tasks", "Tasks", "oopscope_tui.panes.tasks.pane"),
    ("memory", "Memory", "oopscope_tui.panes.memory"),
    ("log", "Log", "oopscope_tui.panes.log.pane"),
    ("modules", "Modules", "oopscope_tui.panes.modules"),
)
# Shown in the panes above already, so their own tables stand at the end of the tabs.
LAST = {"slabs": "Slabs", "zones": "Zones", "meminfo": "Meminfo", "system": "System"}
# Not in the tab bar: reached by a key or a link.
HIDDEN: tuple[tuple[str, str, str], ...] = (
    ("help", "Keys", "oopscope_tui.panes.help"),
    ("explain", "Explain", "oopscope_tui.panes.explain"),
    ("symbol", "Symbol", "oopscope_tui.panes.symbol"),
    ("code", "Code", "oopscope_tui.panes.code"),
    ("struct", "Struct", "oopscope_tui.panes.struct"),
    ("words", "Words", "oopscope_tui.panes.words"),
    ("dumps", "Dumps", "oopscope_tui.panes.dumps"),
)
PROBLEMS = ("problems", "Problems")


def tabs(tables: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Return the (key, title) of every tab: the special panes, the other tables, those shown elsewhere too."""
    special = [(key, title) for key, title, _ in PANES]
    known = {key for key, _ in special}
    other = [(key, title) for key, title in tables if key not in known]
    return [
        *special,
        *(one for one in other if one[0] not in LAST),
        *((key, title) for key, title in LAST.items() if key in dict(other)),
        PROBLEMS,
    ]


def make(key: str, title: str, store: Store) -> "Pane":
    """Import and build the pane of a key; the generic one where there is no special one."""
    for name, own_title, module in (*PANES, *HIDDEN):
        if name == key:
            pane: Pane = import_module(module).PANE(store, key, own_title)
            return pane
    generic: Pane = import_module("oopscope_tui.panes.generic").PANE(store, key, title)
    return generic
