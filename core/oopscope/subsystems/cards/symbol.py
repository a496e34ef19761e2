"""The card of a symbol or an address: what it is, which CPUs are in it, which tasks wait in it."""

from typing import NamedTuple

from oopscope.inspect.look_up import Found, look_up
from oopscope.inspect.neighbours import neighbours
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.stacks.tasks import all_tasks
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Part, Rows
from oopscope.subsystems.cards.meaning import fact_of

SHOWN = 1000  # tasks


class _Thing(NamedTuple):
    """What was asked, and what it stands for."""

    text: str
    found: Found


def find(kernel: Kernel, key: int | str) -> _Thing:
    """Return what a name or an address stands for: `schedule`, `schedule+0x1a`, `runqueues:1`, digits."""
    text = f"{key:#x}" if isinstance(key, int) else key
    return _Thing(text, look_up(kernel, text))


def _symbol(kernel: Kernel, thing: _Thing) -> Facts:
    found = thing.found
    facts = [Fact("address", "Address", "address", found.address, Link("memory", f"{found.address:#x}"))]
    if found.name is not None:
        name, offset, module = found.name
        facts.insert(0, Fact("symbol", "Symbol", "symbol", name + (f"+{offset:#x}" if offset else "")))
        if offset:
            facts.append(Fact("start", "Begins at", "address", found.address - offset))
        facts.append(Fact("module", "Module", "text", module, Link("module", module))) if module else None
    meaning = found.meaning
    if meaning is not None and meaning.kind in ("code", "data"):
        facts.append(Fact("kind", "Kind", "text", meaning.kind))
    if meaning is not None and (found.name is None or meaning.kind not in ("code", "data")):
        facts.append(fact_of("meaning", "Points at", found.address, meaning))
    facts += [Fact("prototype", "Prototype", "text", found.prototype)] if found.prototype else []
    return Facts("", "", tuple(facts))


def _function(thing: _Thing) -> str | None:
    """Return the function that an address lies in."""
    name, meaning = thing.found.name, thing.found.meaning
    return name.symbol if name is not None and meaning is not None and meaning.kind == "code" else None


def _is_in(cpu: Cpu, function: str | None) -> bool:
    return function is not None and any(frame.symbol == function for frame in cpu.frames)


def _cpus(kernel: Kernel, thing: _Thing) -> Rows | None:
    function = _function(thing)
    rows = [cpu for cpu in all_cpus(kernel) if _is_in(cpu, function)]
    columns = (
        Column("cpu", "CPU", "int"),
        Column("state", "State"),
        Column("pid", "PID", "int"),
        Column("comm", "Command"),
    )
    return Rows("", "", columns, rows, [Link("cpu", row.cpu) for row in rows]) if rows else None


def _tasks(kernel: Kernel, thing: _Thing) -> Rows | None:
    function = _function(thing)
    rows = [task for task in all_tasks(kernel) if function and (task.wait or "").partition("+")[0] == function]
    columns = Column("pid", "PID", "int"), Column("state", "State", "state"), Column("comm", "Command")
    links = [Link("task", row.pid) if row.pid else None for row in rows[:SHOWN]]
    return Rows("", "", columns, rows[:SHOWN], links, len(rows)) if rows else None


def _neighbours(kernel: Kernel, thing: _Thing) -> Rows | None:
    rows = neighbours(kernel, thing.found.address)
    columns = (
        Column("place", "Place"),
        Column("base", "Object", "address"),
        Column("state", "State"),
        Column("holds", "Holds"),
    )
    return Rows("", "", columns, rows, [Link("memory", f"{row.base:#x}") for row in rows]) if rows else None


CARD = CardKind(
    "symbol",
    "Symbol",
    find,
    lambda thing: thing.text,
    (
        Part("symbol", "Symbol", _symbol),
        Part("neighbours", "In its slab", _neighbours),
        Part("cpus", "In the stacks of", _cpus),
        Part("tasks", "Tasks that wait in it", _tasks),
    ),
)
