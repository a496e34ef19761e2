"""The card of a lock: what it is, who holds it, who waits for it; of a spinlock nothing records who holds it."""

from oopscope.inspect.describe import describe
from oopscope.inspect.look_up import address_of
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, NoSuchThing, Part, Rows
from oopscope.subsystems.cards.meaning import fact_of
from oopscope.waits.build import wait_graph
from oopscope.waits.locks import all_locks
from oopscope.waits.wait import Wait


def find(kernel: Kernel, key: int | str) -> list[Wait]:
    """Return the waits for a lock, given its address or, of one that is a variable, its name."""
    address = address_of(kernel, key) if isinstance(key, str) else key
    found = [wait for wait in all_locks(kernel) if wait.lock == address] or _spun_for(kernel, address)
    if not found:
        raise NoSuchThing(f"nobody waits for a lock at {address:#x}")
    return found


def _spun_for(kernel: Kernel, address: int) -> list[Wait]:
    """Return who spins for a spinlock, as waits."""
    graph = wait_graph(kernel)
    node = graph.nodes.get(f"spinlock:{address:#x}")
    tasks = [graph.nodes[edge.source] for edge in graph.into[node.id]] if node is not None else []
    return [
        Wait(task.pid or 0, task.name, "spinlock", address, node.name, None, None, False, task.address or 0, None)
        for task in tasks
        if node is not None
    ]


def _lock(kernel: Kernel, waits: list[Wait]) -> Facts:
    one = waits[0]
    holder = Link("task", one.owner_pid) if one.owner_pid else None
    return Facts(
        "",
        "",
        (
            Fact("kind", "Kind", "text", one.kind),
            Fact("name", "Name", "symbol", one.name, Link("symbol", one.name) if one.name else None),
            Fact("lock", "Address", "address", one.lock, Link("struct", f"{one.kind}@{one.lock:#x}")),
            fact_of("place", "Lies in", one.lock, describe(kernel, one.lock)),
            Fact("owner_pid", "Held by", "int", one.owner_pid, holder),
            Fact("owner_comm", "Holder", "text", one.owner_comm, holder),
            Fact("owner_ended", "Holder ended", "bool", one.ended),
            Fact("readers", "Held by readers", "bool", one.readers),
            Fact("reader_count", "Readers", "int", one.reader_count),
        ),
    )


def _waiters(kernel: Kernel, waits: list[Wait]) -> Rows:
    columns = Column("pid", "PID", "int"), Column("comm", "Command"), Column("task", "task_struct", "address")
    return Rows("", "", columns, waits, [Link("task", wait.pid) for wait in waits])


CARD = CardKind(
    "lock",
    "Lock",
    find,
    lambda waits: f"{waits[0].kind} {waits[0].name or f'{waits[0].lock:#x}'}",
    (Part("lock", "Lock", _lock), Part("waiters", "Waiters", _waiters)),
)
