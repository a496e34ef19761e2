"""The card of a struct: its size, what lies at its address, its members with types, values and what they point at."""

from typing import NamedTuple

from oopscope.inspect.expression import evaluate
from oopscope.inspect.expression_parts import place_of
from oopscope.inspect.struct import Row, StructFound, struct
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, NoSuchThing, Part, Rows
from oopscope.subsystems.cards.meaning import fact_of, link_of, words_of


class Member(NamedTuple):
    """A member; value and text are None without an address, or (`why`) where it cannot be read."""

    offset: int
    size: int
    name: str | None
    declaration: str
    value: int | None
    text: str | None
    meaning: str | None
    sure: bool | None
    why: str | None


def find(kernel: Kernel, key: int | str) -> StructFound:
    """Return a struct by `TYPE[.MEMBER][@ADDRESS OR SYMBOL]`; where there is none, the error names like ones."""
    text, _, place = str(key).partition("@")
    if "(" in place:  # an expression: task(1), 0x...-offsetof(TYPE, MEMBER)
        place = f"{place_of(evaluate(kernel, place)):#x}"
    outer, _, names = text.partition(".")
    several = names.split(",") if "," in names else []
    found = struct(kernel, (outer if several else text) + (f"@{place}" if place else ""))
    if found.like:
        raise NoSuchThing(f"no type {found.name[:60]}; there are {', '.join(found.like[:8])}")
    if several:
        rows = tuple(row for name in several for row in found.rows if row.item.member.name == name.strip())
        known = {row.item.member.name for row in rows}
        if unknown := [name for name in several if name.strip() not in known]:
            raise NoSuchThing(f"{outer} has no member {', '.join(unknown)[:80]}")
        return found._replace(rows=rows)
    return found


def _struct(kernel: Kernel, found: StructFound) -> Facts:
    facts = [Fact("type", "Type", "text", found.name), Fact("size_bytes", "Bytes", "int", found.size)]
    if found.address is not None:
        facts.append(Fact("address", "Address", "address", found.address, Link("memory", f"{found.address:#x}")))
        facts.append(fact_of("meaning", "Lies in", found.address, found.meaning))
    return Facts("", "", tuple(facts))


def _definitions(kernel: Kernel, found: StructFound) -> Rows | None:
    columns = Column("key", "Type"), Column("size", "Bytes", "int"), Column("shown", "Shown", "bool")
    place = f"@{found.address:#x}" if found.address is not None else ""
    links = [Link("struct", one.key + place) for one in found.definitions]
    return Rows("", "", columns, found.definitions, links) if found.definitions else None


def members(kernel: Kernel, found: StructFound) -> Rows:
    """Return a struct's members as rows."""
    rows = [_member(row) for row in found.rows]
    columns: tuple[Column, ...] = (
        Column("offset", "Offset", "int"), Column("size", "Size", "int"), Column("name", "Name"),
        Column("declaration", "Declaration"), Column("value", "Number", "int"), Column("text", "Value"),
        Column("meaning", "Points at"), Column("sure", "Sure", "bool"), Column("why", "Lacks"),
    )  # fmt: skip
    if found.address is None:  # nothing has a value
        columns = columns[:4]
    return Rows("", "", columns, rows, [_link(found, row) for row in found.rows])


def _member(row: Row) -> Member:
    item, meaning = row.item, row.meaning
    tells = meaning is not None and meaning.kind != "null"
    return Member(
        item.member.offset, item.member.size, item.member.name or None, item.declaration, item.number, item.text,
        words_of(meaning) if tells else None, meaning.sure if meaning is not None and tells else None, item.why or None,
    )  # fmt: skip


def _link(found: StructFound, row: Row) -> Link | None:
    item = row.item
    if item.member.kind == "ptr" and item.number:
        code = row.meaning is not None and row.meaning.kind in ("code", "error", "poison", "null")
        if item.target is not None and not code:
            return Link("struct", f"{item.target}@{item.number:#x}")
        return link_of(item.number, row.meaning)
    if item.member.kind == "ptr" and item.target is not None and found.address is None:
        return Link("struct", item.target)
    return None


CARD = CardKind(
    "struct",
    "Struct",
    find,
    lambda found: found.name + (f" at {found.address:#x}" if found.address is not None else ""),
    (
        Part("struct", "Struct", _struct),
        Part("definitions", "Structs of this name", _definitions),
        Part("members", "Members", members),
    ),
)
