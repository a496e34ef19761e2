"""The card of code: the function at an address, its instructions, and of a frame what its instruction did."""

from typing import NamedTuple

from oopscope.inspect.code import CodeFound, code
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.subsystems import Column
from oopscope.subsystems.cards import CardKind, Facts, Part, Rows, Text
from oopscope.subsystems.cards.cpu import REGISTERS, RegisterRow
from oopscope.subsystems.cards.meaning import fact_of, link_of, words_of


class Line(NamedTuple):
    """An instruction."""

    address: int
    offset: int | None  # bytes into the function
    here: bool  # the one that was asked for
    bytes: str
    text: str
    note: str | None  # what it names, or what was patched there


class Use(NamedTuple):
    """A use of memory by an instruction."""

    verb: str
    size: int
    formula: str
    address: int
    meaning: str | None
    sure: bool | None


def find(kernel: Kernel, key: int | str) -> CodeFound:
    """Return the code of a function or about an address; of a frame with its registers (`ADDRESS@SP`).

    `/to` and `/from` behind it: up to that instruction, or from it on; `/5`: so many instructions from it on.
    """
    where, _, part = (f"{key:#x}" if isinstance(key, int) else key).partition("/")
    found = code(kernel, where)
    if found.code is None or not part:
        return found
    rows, at = found.code.instructions, found.address
    if part == "to":
        rows = tuple(one for one in rows if one.address <= at)
    else:
        count = int(part) if part.isascii() and part.isdigit() else len(rows)
        rows = tuple(one for one in rows if one.address + len(one.code) > at)[:count]
    return found._replace(code=found.code._replace(instructions=rows))


def name(found: CodeFound) -> str:
    """Return the function with the offset, or the address."""
    known = found.code.name if found.code is not None else None
    if known is None:
        return f"{found.address:#x}"
    past = found.address - found.code.start if found.code is not None else 0
    return known.symbol + (f"+{past:#x}" if past else "") + (f" [{known.module}]" if known.module else "")


def _code(kernel: Kernel, found: CodeFound) -> Facts:
    facts = [Fact("address", "Address", "address", found.address)]
    if found.code is None:
        return Facts("", "", (*facts, fact_of("meaning", "Lies in", found.address, found.meaning)), found.why)
    if found.code.name is not None:
        symbol, _, module = found.code.name
        facts.insert(0, Fact("symbol", "Function", "symbol", symbol, Link("symbol", symbol)))
        facts += [Fact("module", "Module", "text", module, Link("module", module))] if module else []
    facts += [
        Fact("start", "Begins at", "address", found.code.start),
        Fact("end", "Ends at", "address", found.code.end),
    ]
    facts += [Fact("prototype", "Prototype", "text", found.prototype)] if found.prototype else []
    facts += [Fact("sp", "Stack pointer", "address", found.sp, Link("memory", f"{found.sp:#x}"))] if found.sp else []
    return Facts("", "", tuple(facts))


def _deed(kernel: Kernel, found: CodeFound) -> Rows | None:
    if found.deed is None:
        return None
    uses = found.deed.accesses
    rows = [
        Use(one.verb, one.size, one.formula, one.address, words_of(one.meaning), one.meaning and one.meaning.sure)
        for one in uses
    ]
    columns = (
        Column("verb", "Does"), Column("size", "Bytes", "int"), Column("formula", "At"),
        Column("address", "Address", "address"), Column("meaning", "Lies in"), Column("sure", "Sure", "bool"),
    )  # fmt: skip
    return Rows("", f"What it did: {found.deed.text}", columns, rows, [link_of(u.address, u.meaning) for u in uses])


def _registers(kernel: Kernel, found: CodeFound) -> Rows | None:
    some = found.deed.registers if found.deed is not None else ()
    rows = [RegisterRow(n, v, words_of(meaning), meaning and meaning.sure) for n, v, meaning in some]
    return Rows("", "", REGISTERS, rows, [link_of(v, meaning) for _, v, meaning in some]) if rows else None


def _note(kernel: Kernel, found: CodeFound) -> Text | None:
    return Text("", "", (found.deed.note,)) if found.deed is not None and found.deed.note else None


def _instructions(kernel: Kernel, found: CodeFound) -> Rows | None:
    if found.code is None:
        return None
    start = found.code.start if found.code.name is not None else None
    before = [one.address for one in found.code.instructions if one.address <= found.address]
    here = before[-1] if before else 0
    rows = [
        Line(i.address, i.address - start if start is not None else None, i.address == here, i.code.hex(" "), i.text,
             i.note or None)
        for i in found.code.instructions
    ]  # fmt: skip
    columns = (
        Column("address", "Address", "address"), Column("offset", "Offset", "int"), Column("here", "Here", "bool"),
        Column("bytes", "Bytes"), Column("text", "Instruction"), Column("note", "Names"),
    )  # fmt: skip
    links = [
        Link("code" if i.text.startswith(("call", "j")) else "memory", f"{i.target:#x}") if i.target else None
        for i in found.code.instructions
    ]
    return Rows("", "", columns, rows, links, why=found.code.why)


def _line(kernel: Kernel, found: CodeFound) -> Text | None:
    return Text("", "", (f"Code: {found.code.line}",)) if found.code is not None else None


CARD = CardKind(
    "code",
    "Code",
    find,
    name,
    (
        Part("code", "Function", _code),
        Part("deed", "What it did", _deed),
        Part("registers", "Registers", _registers),
        Part("note", "Note", _note),
        Part("instructions", "Instructions", _instructions),
        Part("line", "As an oops prints it", _line),
    ),
)
