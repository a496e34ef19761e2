"""Parts of a task's card that only it has: its system call, rights, limits, namespaces, signals, what it used."""

from oopscope.inspect.system_call import system_call
from oopscope.inspect.task_accounting import accounting
from oopscope.inspect.task_rights import limits, namespaces_of, rights, space_link
from oopscope.inspect.task_signals import signals_of
from oopscope.kernel.fact import Fact
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task_memory import environment
from oopscope.stacks.tasks import stack
from oopscope.subsystems import Column
from oopscope.subsystems.cards import Facts, Rows, Text


def call_of(kernel: Kernel, address: int) -> Facts | None:
    """Return the system call that a task is in; None for one that is in none."""
    found = system_call(kernel, address, stack(kernel, address))
    if found is None:
        return None
    facts = [Fact("syscall", "Call", "symbol", found.name), Fact("number", "Number", "int", found.number)]
    if found.arguments is not None:
        words = tuple(f"{one:#x}" for one in found.arguments)
        facts.append(Fact("arguments", "Arguments", "list", words))
    else:
        facts.append(Fact("arguments", "Arguments", "list", why="the registers saved at entry were not found"))
    if found.file is not None:
        facts.append(Fact("file", "On", "text", found.file))
    return Facts("", "", tuple(facts))


def rights_of(kernel: Kernel, address: int) -> Facts:
    """Return credentials, capabilities, seccomp, audit, control group."""
    return Facts("", "", tuple(rights(kernel, address)))


def limits_of(kernel: Kernel, address: int) -> Rows:
    """Return the limits of its process."""
    columns = (
        Column("name", "Limit"), Column("soft", "Soft"), Column("hard", "Hard"), Column("unit", "In"),
    )  # fmt: skip
    return Rows("", "", columns, limits(kernel, address))


def spaces_of(kernel: Kernel, address: int) -> Rows:
    """Return its namespaces."""
    columns = (
        Column("kind", "Kind"), Column("number", "Number", "int"), Column("whose", "Whose"),
        Column("address", "Struct", "address"),
    )  # fmt: skip
    rows = namespaces_of(kernel, address)
    return Rows("", "", columns, rows, tuple(space_link(row) for row in rows))


def handlers_of(kernel: Kernel, address: int) -> Rows | None:
    """Return its signals; None where all are as they begin."""
    columns = (
        Column("number", "#", "int"), Column("name", "Signal"), Column("action", "Action"),
        Column("handler", "Handler", "address"), Column("flags", "Flags"), Column("blocked", "Blocked"),
        Column("pending", "Pending"), Column("sender", "Sent"),
    )  # fmt: skip
    rows = signals_of(kernel, address)
    return Rows("", "", columns, rows) if rows else None


def used_by(kernel: Kernel, address: int) -> Facts:
    """Return what it used and waited for."""
    return Facts("", "", tuple(accounting(kernel, address)))


def environment_of(kernel: Kernel, address: int) -> Text | None:
    """Return its environment; None for a task without a program."""
    words, why = environment(kernel, address)
    return None if words is None and why.endswith("has none") else Text("", "", words or (), why)
