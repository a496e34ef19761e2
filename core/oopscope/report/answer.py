"""What a request comes to with a kernel: rows of a table, or cards. The shell and the API answer with it."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from oopscope.commands.command import CardOf, EachTask, TableOf
from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.report.cells import cell
from oopscope.report.query import Field, QueryError, parse_filter
from oopscope.stacks.cpus import panic_cpu
from oopscope.subsystems import Column, Table, table
from oopscope.subsystems.cards import Card, Facts, NoSuchThing, Section, card
from oopscope.triage import verdict

SURELY = 1 << 32  # what is larger is an address, and no number of a row
MOST_CARDS = 500  # of several tasks in one text


class TableFound(NamedTuple):
    """Rows of a table with the columns that are wanted."""

    table: Table
    columns: tuple[Column, ...]
    rows: list[Any]


def rows_of(kernel: Kernel, request: TableOf) -> TableFound:
    """Return the rows that a request asks for; QueryError for a filter or a column that is none."""
    found = table(request.table)
    columns = tuple(column_of(found, name) for name in request.columns) or found.columns
    test = parse_filter(request.where, fields_of(found), lambda row: _words(found, row), kernel)
    sort = _sorting(found, request.sort) if request.sort else None
    rows = list(found.rows(kernel))
    if request.key is not None:
        rows = [row for row in rows if _is_called(found, row, request.key)]
        if not rows:
            raise NoSuchThing(f"no {request.key} among the {found.title.lower()}")
    rows = [row for row in rows if test(row)] if test is not None else rows
    return TableFound(found, columns, sort(rows) if sort is not None else rows)


def _is_called(found: Table, row: Any, key: int | str) -> bool:
    """Tell whether a row is the one of a key: its whole identity, the first part of it, or a command's name."""
    names = found.name_of(row), getattr(row, found.named_by[0], None), getattr(row, "comm", None)
    address = getattr(row, "address", None)
    by_address = isinstance(address, int) and address > SURELY and f"{address:x}" == str(key).lower().removeprefix("0x")
    return by_address or key in names or str(key) in map(str, names[:2]) or (address is not None and key == address)


def fields_of(found: Table) -> list[Field]:
    """Return a table's columns as a filter sees them."""
    return [Field(c.key, c.title, c.kind, attrgetter(c.key)) for c in found.columns]


def column_of(found: Table, name: str) -> Column:
    """Return the column that a name, or the beginning of one, means; QueryError for none."""
    word = name.strip().lower()
    exact = next((c for c in found.columns if word in (c.key, c.title.lower())), None)
    begins = (c for c in found.columns if word and (c.key.startswith(word) or c.title.lower().startswith(word)))
    column = exact or next(begins, None)
    if column is None:
        raise QueryError(f"{found.key} has no column {name[:40]}; there are {', '.join(c.key for c in found.columns)}")
    return column


def _sorting(found: Table, name: str) -> Callable[[Sequence[Any]], list[Any]]:
    """Return what sorts rows by a column, `-` before its name for the largest first; those without a value last."""
    key, down = column_of(found, name.lstrip("-+")).key, name.startswith("-")

    def order(rows: Sequence[Any]) -> list[Any]:
        known = [row for row in rows if getattr(row, key) is not None]
        return sorted(known, key=lambda row: _order(getattr(row, key)), reverse=down) + [
            row for row in rows if getattr(row, key) is None
        ]

    return order


def _order(value: Any) -> Any:
    """Return what a value sorts by among its likes."""
    if isinstance(value, str):
        return value.lower()
    return value if isinstance(value, int | float) else len(value)


def _words(found: Table, row: Any) -> str:
    return " ".join(cell(getattr(row, c.key), c.kind) for c in found.columns if c.kind not in ("frames", "registers"))


def cards_of(kernel: Kernel, request: CardOf | EachTask) -> list[Card]:
    """Return the cards that a request asks for; NoSuchThing, or another OopscopeError, for none."""
    if isinstance(request, EachTask):
        tasks = rows_of(kernel, TableOf("tasks", where=request.where)).rows
        return [card(kernel, "task", task.address, request.parts) for task in tasks]
    key = request.key if request.key is not None else _culprit(kernel, request.card)
    try:
        return [card(kernel, request.card, key, request.parts)]
    except OopscopeError:
        if request.otherwise is None:
            raise
        return cards_of(kernel, request.otherwise)


def each(kernel: Kernel, key: str) -> Card:
    """Return the cards of several tasks as one card, by a filter and their parts: `state:D|stack,facts`."""
    where, _, parts = key.rpartition("|")
    found = rows_of(kernel, TableOf("tasks", where=where)).rows
    sections: list[Section] = []
    for task in found[:MOST_CARDS]:
        made = card(kernel, "task", task.address, [part for part in parts.split(",") if part])
        sections += [one._replace(title=f"{made.name} · {one.title}") for one in made.sections]
    if not found:
        sections.append(Facts("each", "", why=f"no task is {where}" if where else "no tasks"))
    if len(found) > MOST_CARDS:
        sections.append(Facts("each", "", why=f"and {len(found) - MOST_CARDS:,} more tasks: oopscope foreach has all"))
    return Card("each", "Tasks", f"{len(found):,} tasks" + (f", {where}" if where else ""), tuple(sections))


def _culprit(kernel: Kernel, kind: str) -> int:
    """Return the task or the CPU that the verdict is about, where none was named."""
    found = verdict(kernel)
    cpu = found.cpu if found.cpu is not None else panic_cpu(kernel)
    number = cpu if kind == "cpu" else found.pid if kind in ("task", "stack") else None
    if number is None:
        raise NoSuchThing(f"which {kind}? The verdict names none")
    return number
