"""The card of an expression's value: the number, what it means, of a struct its members."""

from typing import NamedTuple

from oopscope.decode import decoded
from oopscope.errors import OopscopeError
from oopscope.inspect.describe import describe
from oopscope.inspect.expression import Members, Pointer, Several, Unread, Value, Word, evaluate
from oopscope.inspect.expression_parts import BASIC
from oopscope.inspect.struct import struct
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.structs.view import View
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Part, Rows
from oopscope.subsystems.cards.meaning import fact_of, words_of
from oopscope.subsystems.cards.struct import members

NUMBERS = ("null", "user", "nothing", "ascii")  # what is a number rather than an address
LARGE = 1 << 40  # what is larger is an address more often than a number
LEAST_TEXT, MOST_TEXT = 8, 512
GUESSED = "nothing says what type it is of: read as a word"


class _Thing(NamedTuple):
    """An expression, and what it comes to."""

    text: str
    value: Value


def find(kernel: Kernel, key: int | str) -> _Thing:
    """Return the value of an expression: `task(1).mm.total_vm`, `per_cpu(runqueues, 0).clock`, `jiffies`."""
    return _Thing(str(key), evaluate(kernel, str(key)))


def _value(kernel: Kernel, thing: _Thing) -> Facts:
    value = thing.value
    facts = [Fact("expression", "Expression", "text", thing.text)]
    if isinstance(value, View):
        place = value.address or 0
        link = Link("struct", f"{value.name}@{place:#x}") if "." not in value.name else Link("memory", f"{place:#x}")
        facts += [Fact("type", "Type", "text", value.name), Fact("address", "Address", "address", place, link)]
        return Facts("", "", (*facts, fact_of("meaning", "Lies in", place, describe(kernel, place))))
    if isinstance(value, Several):
        return Facts("", "", (*facts, Fact("count", "How many", "int", len(value.values))), value.why)
    if isinstance(value, Members):
        return Facts(
            "", "", (*facts, *(Fact(name, name, "text", _said(one)) for name, one in zip(*value[:2], strict=True)))
        )
    if isinstance(value, bytes):
        text = decoded(value.split(b"\0")[0])
        return Facts(
            "", "", (*facts, Fact("text", "Text", "text", text), Fact("bytes", "Bytes", "text", value.hex(" ")))
        )
    if isinstance(value, tuple) and not isinstance(value, Pointer | Word):
        return Facts("", "", (*facts, Fact("elements", "Elements", "list", tuple(map(str, value)))))
    if isinstance(value, Unread):
        return Facts("", "", tuple(facts), value.why)
    number = value if isinstance(value, int) else value[0]
    leads = _link(value)
    sure = not isinstance(value, Word)
    facts += [
        Fact("value", "Value", "int", number, sure=sure),
        Fact("hex", "Hexadecimal", "address", number % kernel.memory.top, leads),
    ]
    if isinstance(value, Pointer) and value.type is not None:
        facts.append(Fact("type", "Points to", "text", value.type if value.type in BASIC else f"struct {value.type}"))
    meaning = describe(kernel, number) if 0 <= number < kernel.memory.top else None
    if meaning is not None and meaning.kind not in NUMBERS:
        facts.append(fact_of("meaning", "Means", number, meaning))
    if isinstance(value, Word):
        text = _text_at(kernel, value.address)
        facts += [Fact("text", "Text", "text", text, sure=False)] if text else []
        facts.append(Fact("address", "Address", "address", value.address, Link("memory", f"{value.address:#x}")))
    return Facts("", "", tuple(facts), "" if sure else GUESSED)


def _text_at(kernel: Kernel, address: int) -> str:
    """Return the text of a variable of unknown type, where it can hardly be anything else; else nothing."""
    try:
        text = kernel.memory.cstring(address, MOST_TEXT).decode("ascii").strip()
    except (OopscopeError, UnicodeDecodeError):
        return ""
    return text if len(text) >= LEAST_TEXT and text.isprintable() else ""


def _said(one: Value) -> str:
    """Return a member's value in a few words."""
    if isinstance(one, bytes):
        return decoded(one.split(b"\0")[0])
    if isinstance(one, Pointer):
        return f"{one.address:#x}"
    if isinstance(one, View):
        return one.summary()
    if isinstance(one, int) and one >= LARGE:
        return f"{one:#x}"
    return one.why if isinstance(one, Unread) else str(one)


def _link(value: Value) -> Link | None:
    if isinstance(value, Pointer) and value.type in BASIC:
        return Link("memory", f"{value.address:#x}")
    if isinstance(value, Pointer):
        where = f"{value.type}@{value.address:#x}" if value.type is not None else f"{value.address:#x}"
        return Link("struct" if value.type is not None else "memory", where)
    return None


class Element(NamedTuple):
    """One of several things: its address where it has one, what it is, what it means."""

    at: int
    address: int | None
    value: int | None
    text: str | None
    meaning: str | None


def _elements(kernel: Kernel, thing: _Thing) -> Rows | None:
    if not isinstance(thing.value, Several):
        return None
    rows = [_element(kernel, at, one) for at, one in enumerate(thing.value.values)]
    columns = (
        Column("at", "#", "int"), Column("address", "Address", "address"), Column("value", "Value", "int"),
        Column("text", "Text"), Column("meaning", "Means"),
    )  # fmt: skip
    return Rows("", "", columns, rows, [_link(one) for one in thing.value.values])


def _element(kernel: Kernel, at: int, one: Value) -> Element:
    if isinstance(one, View):
        return Element(at, one.address, None, one.name, None)
    if isinstance(one, Pointer):
        told = words_of(describe(kernel, one.address)) if 0 < one.address < kernel.memory.top else None
        return Element(at, one.address, None, None, told or (f"struct {one.type}" if one.type else None))
    if isinstance(one, int | Word):
        return Element(at, None, one if isinstance(one, int) else one.value, None, None)
    if isinstance(one, Members):
        told = "  ".join(f"{name} {_said(value)}" for name, value in zip(*one[:2], strict=True))
        return Element(at, one.address, None, told, None)
    if isinstance(one, bytes):
        return Element(at, None, None, decoded(one.split(b"\0")[0]), None)
    return Element(at, None, None, None, one.why if isinstance(one, Unread) else ", ".join(map(str, one)))


def _members(kernel: Kernel, thing: _Thing) -> Rows | None:
    value = thing.value
    if not isinstance(value, View) or value.address is None or "." in value.name:
        return None
    return members(kernel, struct(kernel, f"{value.name}@{value.address:#x}"))


CARD = CardKind(
    "value",
    "Value",
    find,
    lambda thing: thing.text,
    (
        Part("value", "Value", _value),
        Part("members", "Members", _members),
        Part("elements", "Elements", _elements),
    ),
)
