"""What a kernel knows of itself, as tables: each file has a TABLE, and the TABLE says all that others need of it.

A table's rows come from a reader in `linux` or above; it prints nothing and knows no report and no screen. Report,
`show`, pane, completion and explanation are made from Table and Column. To add one: a file here, a line in TABLES.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kinds import Kind

if TYPE_CHECKING:
    from oopscope.kernel.kernel import Kernel

Group = Literal["overview", "cpus", "tasks", "memory", "log", "io", "waits", "network", "system"]
# The nine places where a table can stand, in their order, and what they are called.
GROUPS: tuple[tuple[Group, str], ...] = (
    ("overview", "Overview"),
    ("cpus", "CPUs"),
    ("tasks", "Tasks"),
    ("memory", "Memory"),
    ("log", "Log"),
    ("io", "I/O"),
    ("waits", "Waits"),
    ("network", "Network"),
    ("system", "System"),
)


class Column(NamedTuple):
    """One column: the row's attribute (and JSON key), its heading, its kind, and what its values mean.

    `names` is the thing that a value names: a table's `thing` (task by PID, cpu, module, log by a record's number),
    symbol, or `struct NAME` for an address of one. `topic` is the kind of explanation that its values have. A column
    that is not `brief` is left out where a report has little room. In a redacted report of a `share` (server:/path,
    //server/path) or a `host` the server is told no more; names and addresses as such are looked for in every text.
    """

    key: str
    title: str
    kind: Kind = "text"
    help: str = ""  # one sentence or more
    names: str = ""
    brief: bool = True
    look: str = ""  # what to look at besides
    topic: str = ""  # a key of explain.KINDS
    share: bool = False
    host: bool = False


class Offer(NamedTuple):
    """How a row is offered by name while a command is typed."""

    name: Callable[[Any], str]  # as it is shown and found; empty for a row that is not offered
    word: str  # the command that leads to a row of that key; empty where the key is enough
    tells: tuple[str, ...] = ()  # the columns that are shown beside the name
    late: bool = False  # behind what is found among symbols and topics


class Count(NamedTuple):
    """How much of a table was read: its rows, the kernel's own count, and whether all of it is there.

    None: rows that could not be read at all; a count that the kernel does not keep; not known to be complete.
    """

    rows: int | None
    of: int | None
    complete: bool | None


class Table(NamedTuple):
    """A section of the report and a pane of the screen; each column is an attribute of every row."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[["Kernel"], Iterable[Any]]
    group: Group = "system"
    identity: tuple[str, ...] = ()  # the columns whose values together name a row; by default the first
    sort: str = ""  # the column by which a person sees the rows ordered, with "-" the largest first; else as they come
    most: int = 0  # rows that a text shows; 0 for all
    asked: bool = False  # in a report only where it is asked for by name
    kept: bool = True  # whether a distilled dump gives the same rows, though a report does not hold them
    when_opened: bool = False  # whether a screen reads it when it is opened, and not of itself
    told_in: str = ""  # the table with which it is read, whose problems are its own too
    of: Callable[["Kernel"], int | None] | None = None  # the kernel's own count of such things
    walked: bool = True  # whether a reading that met no problem has seen all there is
    thing: str = ""  # what a row is, as links, cards and columns name it
    offer: Offer | None = None  # for tables whose rows are looked for by name
    commands: tuple[str, ...] = ()  # what can be asked about a row; {pid} is a column of it, {lock:x} in hexadecimal

    @property
    def named_by(self) -> tuple[str, ...]:
        """The columns whose values together name a row."""
        return self.identity or (self.columns[0].key,)

    def name_of(self, row: Any) -> int | str | None:
        """Return what names a row: the value of its identity, or several values with spaces between."""
        values = [getattr(row, key, None) for key in self.named_by]
        if len(values) == 1:
            return values[0] if isinstance(values[0], int | str) else None
        return " ".join(str(value) for value in values if value is not None)

    def ordered(self, rows: Iterable[Any], get: Callable[[Any, str], Any] = getattr) -> list[Any]:
        """Return the rows as a person sees them, those without a value last; `get` reads a column of a row."""
        found = list(rows)
        if not self.sort:
            return found
        key, down = self.sort.lstrip("-"), self.sort.startswith("-")
        known = [row for row in found if get(row, key) is not None]
        return sorted(known, key=lambda row: get(row, key), reverse=down) + [
            row for row in found if get(row, key) is None
        ]

    def _troubled(self, kernel: "Kernel") -> bool:
        return any(problem.section in (self.key, self.told_in) for problem in kernel.problems)

    def counted(self, kernel: "Kernel", rows: int | None) -> Count:
        """Return how complete a reading of so many rows is, by the kernel's own count or by what went wrong in it."""
        try:
            of = self.of(kernel) if self.of is not None else None
        except OopscopeError:
            of = None
        if rows is None:
            return Count(None, of, False)
        if not rows and not of and not (kernel.facts.complete and kernel.names_data):
            # What was not found may have been where the dump is not, or what leads to it has no name.
            return Count(rows, of, False if self._troubled(kernel) else None)
        if of is not None:
            return Count(rows, of, True if rows == of else False if rows < of else None)
        if self._troubled(kernel):
            return Count(rows, None, False)
        # Of a dump that is not whole no reading proves that it saw all: what leads to the rest may be where nothing is.
        return Count(rows, None, True if self.walked and kernel.facts.complete else None)


# Columns that mean the same in every table.
PID = Column(
    "pid",
    "PID",
    "int",
    "The thread's ID in the first PID namespace. A process's first thread has the process's PID; 0 are the CPUs' idle "
    "tasks.",
    "task",
)
COMM = Column(
    "comm",
    "Command",
    help="The thread's name, at most 15 characters: the program's, unless it was renamed (prctl, kernel threads).",
)
CPU = Column("cpu", "CPU", "int", "The CPU's number.", "cpu")

# The key (also in the report's JSON), and where its TABLE is; in the order in which they are read and stand in a group.
TABLES: tuple[tuple[str, str], ...] = (
    ("system", "oopscope.subsystems.system"),
    ("cpus", "oopscope.subsystems.cpus"),
    ("runqueues", "oopscope.subsystems.runqueues"),
    ("interrupts", "oopscope.subsystems.interrupts"),
    ("works", "oopscope.subsystems.works"),
    ("workqueues", "oopscope.subsystems.workqueues"),
    ("pools", "oopscope.subsystems.pools"),
    ("workers", "oopscope.subsystems.workers"),
    ("graceperiods", "oopscope.subsystems.graceperiods"),
    ("rcu", "oopscope.subsystems.rcu"),
    ("pressure", "oopscope.subsystems.pressure"),
    ("timers", "oopscope.subsystems.timers"),
    ("machinechecks", "oopscope.subsystems.machinechecks"),
    ("log", "oopscope.subsystems.log"),
    ("consoles", "oopscope.subsystems.consoles"),
    ("auditrecords", "oopscope.subsystems.auditrecords"),
    ("safemessages", "oopscope.subsystems.safemessages"),
    ("tasks", "oopscope.subsystems.tasks"),
    ("stacks", "oopscope.subsystems.stacks"),
    ("timeline", "oopscope.subsystems.timeline"),
    ("waits", "oopscope.subsystems.waits"),
    ("locks", "oopscope.subsystems.locks"),
    ("filelocks", "oopscope.subsystems.filelocks"),
    ("epolls", "oopscope.subsystems.epolls"),
    ("watches", "oopscope.subsystems.watches"),
    ("meminfo", "oopscope.subsystems.meminfo"),
    ("vmstat", "oopscope.subsystems.vmstat"),
    ("nodes", "oopscope.subsystems.nodes"),
    ("zones", "oopscope.subsystems.zones"),
    ("freelists", "oopscope.subsystems.freelists"),
    ("hugepages", "oopscope.subsystems.hugepages"),
    ("swaps", "oopscope.subsystems.swaps"),
    ("edac", "oopscope.subsystems.edac"),
    ("cgroups", "oopscope.subsystems.cgroups"),
    ("vmallocs", "oopscope.subsystems.vmallocs"),
    ("pagecache", "oopscope.subsystems.pagecache"),
    ("dentries", "oopscope.subsystems.dentries"),
    ("slabs", "oopscope.subsystems.slabs"),
    ("slabpointers", "oopscope.subsystems.slabpointers"),
    ("facts", "oopscope.subsystems.facts"),
    ("modules", "oopscope.subsystems.modules"),
    ("modinfo", "oopscope.subsystems.modinfo"),
    ("parameters", "oopscope.subsystems.parameters"),
    ("sysctls", "oopscope.subsystems.sysctls"),
    ("disks", "oopscope.subsystems.disks"),
    ("drives", "oopscope.subsystems.drives"),
    ("requests", "oopscope.subsystems.requests"),
    ("urings", "oopscope.subsystems.urings"),
    ("virtqueues", "oopscope.subsystems.virtqueues"),
    ("mounts", "oopscope.subsystems.mounts"),
    ("filesystems", "oopscope.subsystems.filesystems"),
    ("nfsclients", "oopscope.subsystems.nfsclients"),
    ("interfaces", "oopscope.subsystems.interfaces"),
    ("sockets", "oopscope.subsystems.sockets"),
    ("routes", "oopscope.subsystems.routes"),
    ("neighbours", "oopscope.subsystems.neighbours"),
    ("rpcclients", "oopscope.subsystems.rpcclients"),
    ("rpccalls", "oopscope.subsystems.rpccalls"),
    ("pci", "oopscope.subsystems.pci"),
    ("ipc", "oopscope.subsystems.ipc"),
    ("bpf", "oopscope.subsystems.bpf"),
    ("bpfmaps", "oopscope.subsystems.bpfmaps"),
    ("hooks", "oopscope.subsystems.hooks"),
    ("coverage", "oopscope.subsystems.coverage"),
)

# Those that are `asked`, which a report has only where they are named: it imports none of the others' readers for them.
ASKED = frozenset(
    [
        "system",
        "workqueues",
        "pools",
        "workers",
        "rcu",
        "pressure",
        "timers",
        "machinechecks",
        "log",
        "consoles",
        "auditrecords",
        "safemessages",
        "stacks",
        "timeline",
        "filelocks",
        "epolls",
        "watches",
        "vmstat",
        "freelists",
        "hugepages",
        "edac",
        "vmallocs",
        "pagecache",
        "dentries",
        "slabpointers",
        "facts",
        "modinfo",
        "parameters",
        "sysctls",
        "drives",
        "urings",
        "virtqueues",
        "routes",
        "neighbours",
        "nfsclients",
        "rpcclients",
        "rpccalls",
        "pci",
        "ipc",
        "bpf",
        "bpfmaps",
        "hooks",
        "coverage",
    ]
)


def table(key: str) -> Table:
    """Import and return the table of that key; KeyError for none."""
    found: Table = import_module(dict(TABLES)[key]).TABLE
    return found


@cache
def every_table() -> tuple[Table, ...]:
    """Import and return all tables, in their order."""
    return tuple(table(key) for key, _ in TABLES)


@cache
def table_of(thing: str) -> Table | None:
    """Return the table whose rows are such things; None where no table has them."""
    return next((one for one in every_table() if one.thing == thing), None) if thing else None
