"""The card of a module: what it is, what it taints, who uses it, in which CPUs' stacks it stands."""

from typing import NamedTuple

from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.linux.module_list import Row as Module
from oopscope.linux.module_list import all_modules
from oopscope.linux.taint import FLAGS
from oopscope.stacks.cpus import all_cpus
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, NoSuchThing, Part, Rows


class Letter(NamedTuple):
    """A taint flag, and what it says."""

    letter: str
    meaning: str


class User(NamedTuple):
    """A module that uses another."""

    name: str


class Standing(NamedTuple):
    """A frame of a CPU's stack that is the module's."""

    cpu: int
    symbol: str
    reliable: bool


def find(kernel: Kernel, key: int | str) -> Module:
    """Return a module by its name, `-` and `_` being alike, or by the address of its memory."""
    text = str(key).replace("-", "_")
    found = next((m for m in all_modules(kernel) if m.name.replace("-", "_") == text or m.address == key), None)
    if found is None:
        raise NoSuchThing(f"no module {text[:60]}")
    return found


def _module(kernel: Kernel, module: Module) -> Facts:
    return Facts(
        "",
        "",
        (
            Fact("name", "Module", "text", module.name),
            Fact("size_bytes", "Size", "bytes", module.size_bytes),
            Fact("refcount", "Used", "int", module.refcount),
            Fact("state", "State", "text", module.state),
            Fact("taint", "Taint", "text", module.taint),
            Fact("address", "Address", "address", module.address, Link("memory", f"{module.address:#x}")),
        ),
    )


def _taints(kernel: Kernel, module: Module) -> Rows | None:
    known = {flag.letter: flag.meaning for flag in FLAGS}
    rows = [Letter(letter, known[letter]) for letter in module.taint if letter in known]
    columns = Column("letter", "Letter"), Column("meaning", "Meaning")
    return Rows("", "", columns, rows) if rows else None


def _users(kernel: Kernel, module: Module) -> Rows | None:
    rows = [User(name) for name in module.used_by or ()]
    return Rows("", "", (Column("name", "Module"),), rows, [Link("module", r.name) for r in rows]) if rows else None


def _stacks(kernel: Kernel, module: Module) -> Rows | None:
    rows = [
        Standing(cpu.cpu, str(frame), frame.reliable)
        for cpu in all_cpus(kernel)
        for frame in cpu.frames
        if frame.module == module.name
    ]
    columns = Column("cpu", "CPU", "int"), Column("symbol", "Frame", "symbol"), Column("reliable", "Sure", "bool")
    return Rows("", "", columns, rows, [Link("cpu", row.cpu) for row in rows]) if rows else None


CARD = CardKind(
    "module",
    "Module",
    find,
    lambda module: module.name,
    (
        Part("module", "Module", _module),
        Part("taints", "Taints", _taints),
        Part("used_by", "Used by", _users),
        Part("stacks", "In the stacks of", _stacks),
    ),
)
