"""What a kernel knows of itself, subsystem by subsystem: plans, generators, and a TABLE each.

A subsystem reads through a Kernel and yields rows; it prints nothing and knows no report and no screen. The JSON
report and the generic pane are made from TABLE alone. To add one: a file here and a line in TABLES.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from oopscope.kernel.kinds import Kind

if TYPE_CHECKING:
    from oopscope.kernel.kernel import Kernel


class Column(NamedTuple):
    """One column: the row's attribute (and JSON key), its heading, its kind."""

    key: str
    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """A section of the report and a pane of the screen; each column is an attribute of every row."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[["Kernel"], Iterable[Any]]


# The key (also in the report's JSON), and where its TABLE is.
TABLES: tuple[tuple[str, str], ...] = (
    ("system", "oopscope.subsystems.system"),
    ("cpus", "oopscope.subsystems.cpus"),
    ("tasks", "oopscope.subsystems.tasks"),
    ("locks", "oopscope.subsystems.locks"),
    ("meminfo", "oopscope.subsystems.meminfo"),
    ("zones", "oopscope.subsystems.zones"),
    ("slabs", "oopscope.subsystems.slabs"),
    ("modules", "oopscope.subsystems.modules"),
    ("mounts", "oopscope.subsystems.mounts"),
    ("log", "oopscope.subsystems.log"),
    ("coverage", "oopscope.subsystems.coverage"),
)


def table(key: str) -> Table:
    """Import and return the table of that key; KeyError for none."""
    found: Table = import_module(dict(TABLES)[key]).TABLE
    return found
