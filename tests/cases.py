"""The real dumps beside their truth, each opened and read at most once a session."""

import pickle
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from oopscope.boot.attach import open_kernel
from oopscope.kernel.kernel import Kernel
from oopscope.report.build import build, sections
from oopscope.subsystems import TABLES
from stored import DUMPS, write
from truth import Truth

NAMES = sorted(path.stem for path in DUMPS.glob("*.kdump") if path.with_suffix(".truth").exists())
# Tables that came when most dumps had been distilled, and the dumps that have their pages.
LAST = "6.1-life"  # the one that has the pages of the latest of them
LATER: tuple[str, ...] = (
    "interrupts", "disks", "requests", "interfaces", "sockets", "vmstat", "nodes", "freelists", "hugepages", "swaps",
    "cgroups", "vmallocs", "slabpointers", "works", "workqueues", "pools", "workers", "graceperiods", "rcu", "timers",
    "filesystems", "facts", "modinfo", "parameters",
)  # fmt: skip
LATEST = ("routes", "neighbours", "pci", "ipc", "bpf", "bpfmaps", "hooks", "consoles", "pagecache")
NEWEST = (
    "filelocks",
    "epolls",
    "watches",
    "urings",
    "pressure",
    "sysctls",
    "drives",
    "virtqueues",
    "dentries",
    "rpcclients",
    "rpccalls",
    "nfsclients",
    "auditrecords",
    "machinechecks",
    "safemessages",
    "edac",
)  # of which LAST has what others share
LATER += LATEST + NEWEST
BARE = (
    "bpf",
    "bpfmaps",
    "watches",
    "urings",
    "sysctls",
    "drives",
    "virtqueues",
    "dentries",
    "rpcclients",
    "rpccalls",
    "nfsclients",
    "auditrecords",
    "machinechecks",
    "safemessages",
    "edac",
)  # of which no stored dump has a row
UNREAD = ("sysctls", "virtqueues", "auditrecords")  # of which no stored dump has the pages
HELD = ("6.1-null", LAST)
ALL = sections(["dump", "system", "verdict", "findings", *(key for key, _ in TABLES if key != "system")])


SHARED: list[Path] = []  # the folder that the processes of one run have in common, where there are several
INDEX: list[Path] = []  # the folder of the index cache that all processes of a run share


def held(key: str, name: str) -> bool:
    """Tell whether a stored dump was distilled for a table."""
    if key in NEWEST:
        return False
    return key not in LATER or (name in HELD and (key not in LATEST or name == LAST))


class Case:
    """One real dump, its kernel, its full report with every stack, and what its guest said of itself."""

    def __init__(self, name: str) -> None:
        self.name, self.path = name, DUMPS / f"{name}.kdump"

    def __repr__(self) -> Any:
        return self.name

    @cached_property
    def kernel(self) -> Kernel:
        return open_kernel([self.path])

    @cached_property
    def tables(self) -> list[str]:
        """The keys of the tables that the dump was distilled for."""
        return [key for key, _ in TABLES if held(key, self.name)]

    @cached_property
    def report(self) -> Any:
        """Built by one of a run's processes, and read by the others."""
        kept = SHARED[0] / f"{self.name}.report" if SHARED else None
        if kept is not None and kept.exists():
            return pickle.loads(kept.read_bytes())
        made = build(self.kernel, [key for key in ALL if held(key, self.name)], stacks=True)
        if kept is not None:
            write(kept, pickle.dumps(made), 0)
        return made

    def close(self) -> None:
        """Let go of the kernel and its pages; the report stays, and who asks for the kernel opens it again."""
        self.__dict__.pop("kernel", None)

    @cached_property
    def truth(self) -> Truth:
        return Truth.beside(self.path)

    @cached_property
    def tasks(self) -> Any:
        """By PID; the idle tasks, which share PID 0, are left out."""
        return {task["pid"]: task for task in self.report["tasks"] if task["pid"]}


@cache
def case_of(name: str) -> Case:
    """Return the one Case of a name."""
    return Case(name)
