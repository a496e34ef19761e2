"""The card of a task: what it is and may do, its locks, stack, system call, family, memory, files and mappings."""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

from oopscope.inspect.task_facts import Relative, TaskFacts, task_facts
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.linux.task_files import TaskFiles, task_files
from oopscope.linux.task_memory import Size, TaskMemory, task_memory
from oopscope.stacks.tasks import Task, all_tasks, one_task, stack
from oopscope.subsystems import Column, table
from oopscope.subsystems.cards import CardKind, Facts, Frames, NoSuchThing, Part, Rows, Section
from oopscope.subsystems.cards.task_more import (
    call_of,
    environment_of,
    handlers_of,
    limits_of,
    rights_of,
    spaces_of,
    used_by,
)
from oopscope.waits.locks import all_locks

# Columns of the table that lead somewhere.
LINKS = {"ppid": "task", "tgid": "task", "cpu": "cpu", "wait": "symbol"}
SHARES = {"anonymous", "files", "shared", "at its most", "data", "stack", "code", "locked"}  # of the size before them


class Thing:
    """A task, and what is read of it for more than one part."""

    def __init__(self, kernel: Kernel, task: Task) -> None:
        self.kernel, self.task = kernel, task

    @cached_property
    def facts(self) -> TaskFacts:
        """What the task_struct says; ReadError."""
        return task_facts(self.kernel, self.task.address)

    @cached_property
    def memory(self) -> TaskMemory:
        """What its mm_struct says; ReadError."""
        return task_memory(self.kernel, self.task.address)

    @cached_property
    def files(self) -> TaskFiles:
        """What its file table holds; ReadError."""
        return task_files(self.kernel, self.task.address)


class Waiting(NamedTuple):
    """A lock that a task waits for, or holds while another waits."""

    role: str  # waits, holds
    kind: str
    name: str | None
    lock: int
    pid: int | None  # of the other: the holder, the waiter
    comm: str | None
    readers: bool | None


class Kin(NamedTuple):
    """A relative of a task."""

    relation: str  # parent, thread, child
    pid: int | None
    comm: str | None


def find(kernel: Kernel, key: int | str) -> Thing:
    """Return a task by its PID, by the address of its struct task_struct, or by its name (the lowest PID)."""
    number = _number(key)
    if number and (only := one_task(kernel, number)) is not None:
        return Thing(kernel, only)
    tasks = all_tasks(kernel)
    found = next((task for task in tasks if number is not None and number in (task.pid, task.address)), None)
    if found is None and isinstance(key, str):
        digits = key.lower().removeprefix("0x")
        address = int(digits, 16) if digits and not set(digits) - set("0123456789abcdef") else None
        found = next((task for task in tasks if task.comm == key or task.address == address), None)
    if found is None:
        raise NoSuchThing(f"no task {key:#x}" if isinstance(key, int) and key > 1 << 32 else f"no task {key}")
    return Thing(kernel, found)


def _number(key: int | str) -> int | None:
    if isinstance(key, int):
        return key
    return int(key) if key.isascii() and key.isdigit() and len(key) < 20 else None


def _task(kernel: Kernel, thing: Thing) -> Facts:
    facts = []
    for column in table("tasks").columns:
        value = getattr(thing.task, column.key)
        kind = LINKS.get(column.key)
        link = Link(kind, value) if kind and value not in (None, "") else None  # type: ignore[arg-type]
        if column.key == "address":
            facts.append(Fact("address", "task_struct", "address", value, Link("struct", f"task_struct@{value:#x}")))
        else:
            facts.append(Fact(column.key, column.title, column.kind, value, link))
    return Facts("", "", tuple(facts))


def _locks(kernel: Kernel, thing: Thing) -> Rows | None:
    rows = [
        Waiting("waits", w.kind, w.name, w.lock, w.owner_pid, w.owner_comm, w.readers)
        for w in all_locks(kernel)
        if w.task == thing.task.address
    ]
    rows += [
        Waiting("holds", w.kind, w.name, w.lock, w.pid, w.comm, w.readers)
        for w in all_locks(kernel)
        if w.holder == thing.task.address
    ]
    columns = (
        Column("role", "Role"), Column("kind", "Kind"), Column("name", "Lock", "symbol"),
        Column("lock", "Address", "address"), Column("pid", "Other", "int"), Column("comm", "Command"),
        Column("readers", "Readers", "bool"),
    )  # fmt: skip
    links = tuple(Link("task", row.pid) if row.pid else Link("lock", row.lock) for row in rows)
    return Rows("", "", columns, rows, links) if rows else None


def stack_of(kernel: Kernel, thing: Thing) -> Frames:
    """Return the stack of a task, and why where it has none."""
    frames = stack(kernel, thing.task.address)
    return Frames("", "", frames, "" if frames else "no frames: it only ran user code, or nothing was saved")


def _facts(kernel: Kernel, thing: Thing) -> Facts:
    return Facts("", "", thing.facts.facts)


def _family(kernel: Kernel, thing: Thing) -> Rows | None:
    found = thing.facts
    some = (("parent", found.parents), ("thread", found.threads), ("child", found.children))
    rows = [Kin(relation, one.pid, one.comm) for relation, kin in some for one in kin]
    columns = Column("relation", "Relation"), Column("pid", "PID", "int"), Column("comm", "Command")
    count = len(found.parents) + found.thread_count + found.child_count
    return Rows("", "", columns, rows, tuple(_link(row) for row in rows), count) if rows else None


def _link(one: Relative | Kin) -> Link | None:
    return Link("task", one.pid) if one.pid else None


def _of(make: Callable[[Kernel, int], Section | None]) -> Callable[[Kernel, Thing], Section | None]:
    """Return what makes a part of a task from its struct's address alone."""
    return lambda kernel, thing: make(kernel, thing.task.address)


def _memory(kernel: Kernel, thing: Thing) -> Facts:
    found = thing.memory
    if not found.sizes:
        return Facts("", "", why=found.why)
    facts = [
        Fact("arguments", "Arguments", "text", found.arguments, why=found.arguments_why),
        Fact("mm", "mm_struct", "address", found.mm, Link("struct", f"mm_struct@{found.mm:#x}")),
        Fact("users", "Used by tasks", "int", found.users),
        *_sizes(found.sizes),
    ]
    return Facts("", "", tuple(facts))


def _sizes(sizes: tuple[Size, ...]) -> list[Fact]:
    """Return sizes as facts, each with its shares."""
    groups: list[tuple[Size, list[Fact]]] = []
    for size in sizes:
        one = Fact(f"{size.name.lower().replace(' ', '_')}_bytes", size.name, "bytes", size.bytes)
        if size.name in SHARES and groups:
            groups[-1][1].append(one)
        else:
            groups.append((size, []))
    return [
        Fact(f"{size.name.lower().replace(' ', '_')}_bytes", size.name, "bytes", size.bytes, parts=tuple(parts))
        for size, parts in groups
    ]


def _paths(kernel: Kernel, thing: Thing) -> Facts | None:
    found = thing.files
    if not found.files and found.why:
        return None
    names = (("exe", "exe", found.exe), ("cwd", "cwd", found.cwd), ("root", "root", found.root))
    return Facts("", "", tuple(Fact(key, title, "text", value) for key, title, value in names))


def _files(kernel: Kernel, thing: Thing) -> Rows:
    found = thing.files
    columns = (
        Column("fd", "fd", "int"), Column("flags", "Flags"), Column("kind", "Kind"), Column("path", "Path"),
        Column("note", "What"), Column("position", "At", "bytes"), Column("size", "Of", "bytes"),
        Column("address", "struct file", "address"), Column("why", "Lacks"),
    )  # fmt: skip
    links = tuple(Link("struct", f"file@{one.address:#x}") for one in found.files)
    why = found.why or (f"more than {len(found.files):,} are open" if found.more else "")
    return Rows("", "", columns, found.files, links, why=why)


def _mappings(kernel: Kernel, thing: Thing) -> Rows | None:
    found = thing.memory
    if not found.sizes:
        return None
    columns = (
        Column("start", "Start", "address"), Column("end", "End", "address"), Column("perms", "Access"),
        Column("offset", "Offset", "address"), Column("name", "Of"), Column("address", "vm_area_struct", "address"),
    )  # fmt: skip
    links = tuple(Link("struct", f"vm_area_struct@{area.address:#x}") for area in found.areas)
    return Rows("", "", columns, found.areas, links, found.area_count, found.why)


CARD = CardKind(
    "task",
    "Task",
    find,
    lambda thing: thing.task.who,
    (
        Part("task", "Task", _task),
        Part("locks", "Locks", _locks),
        Part("stack", "Stack", stack_of),
        Part("call", "System call", _of(call_of)),
        Part("facts", "Details", _facts),
        Part("used", "Used and waited", _of(used_by)),
        Part("signals", "Signals", _of(handlers_of)),
        Part("rights", "Rights", _of(rights_of)),
        Part("limits", "Limits", _of(limits_of)),
        Part("namespaces", "Namespaces", _of(spaces_of)),
        Part("family", "Family", _family),
        Part("memory", "Memory", _memory),
        Part("environment", "Environment", _of(environment_of)),
        Part("paths", "Paths", _paths),
        Part("files", "Files", _files),
        Part("mappings", "Mappings", _mappings),
    ),
)
