"""Views of any struct that BTF can tell of, at any bytes: values as the bytes say, and a line for each member."""

from typing import Any, Literal, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from builders.btf import BtfBuilder
from core.kernel.fakes import Ram, memory_of
from oopscope.structs.layout import Types
from oopscope.structs.view import view
from oopscope.symbols.btf import Btf
from oopscope.symbols.btf_table import PTR
from properties import few

AT = 0x40000 - 30
ORDER: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}
SIGNED = 1


class Part(NamedTuple):
    """A member as C has it: so many bits from a bit of the struct on, of numbers of so many bytes."""

    kind: str  # int, bits, pointer, array
    at: int  # bits
    size: int  # bytes of one number
    signed: bool
    many: int  # bits of a bit-field, elements of an array


@st.composite
def parts(draw: st.DrawFn) -> list[Part]:
    """Members one after the other, as a compiler lays them out, with gaps."""
    made: list[Part] = []
    at = 0
    for _ in range(draw(st.integers(1, 8))):
        kind, size = draw(st.sampled_from(("int", "bits", "pointer", "array"))), draw(st.sampled_from((1, 2, 4, 8)))
        size = 8 if kind == "pointer" else 2 if kind == "array" and size == 1 else size
        signed = draw(st.booleans()) and kind != "pointer"
        if kind == "bits":
            many = draw(st.integers(1, 8 * size - 1))
            if at % (8 * size) + many > 8 * size:  # it lies within a number of its type
                at += -at % (8 * size)
        else:
            many = draw(st.integers(1, 4)) if kind == "array" else 1
            at += -at % (8 * size)
        made.append(Part(kind, at, size, signed, many))
        at += many if kind == "bits" else 8 * size * many
    return made


def types_of(drawn: list[Part], size: int, endian: str) -> Types:
    """The BTF of one struct."""
    b = BtfBuilder(endian)
    bitwise = any(part.kind == "bits" for part in drawn)
    members = []
    b.int("int", 4, SIGNED)
    for n, part in enumerate(drawn):
        word = b.int(f"int{n}", part.size, SIGNED if part.signed else 0)
        if part.kind == "pointer":
            word = b.add(PTR, "", 1)
        elif part.kind == "array":
            word = b.array(word, part.many)
        width = part.many << 24 if part.kind == "bits" else 0
        members.append((f"m{n}", word, width | part.at))
    b.struct("made", size, *members, flag=int(bitwise))
    btf = Btf(b.bytes())
    return Types(lambda: btf)


def said(part: Part, raw: bytes, order: Literal["little", "big"]) -> Any:
    """What the bytes say of a member, counted bit by bit."""
    if part.kind == "bits":
        whole = int.from_bytes(raw, order)
        shift = part.at if order == "little" else 8 * len(raw) - part.at - part.many
        value = whole >> shift & (1 << part.many) - 1
        return value - (value >> part.many - 1 << part.many) if part.signed else value
    first, each = part.at // 8, part.size
    values = tuple(
        int.from_bytes(raw[at : at + each], order, signed=part.signed)
        for at in range(first, first + each * part.many, each)
    )
    return values if part.kind == "array" else values[0]


@few
@given(parts(), st.randoms(use_true_random=False), st.sampled_from("<>"))
def test_values_are_what_the_bytes_say(drawn: list[Part], chance: Any, endian: str) -> None:
    size = max(part.at + 8 * part.size * part.many for part in drawn) // 8 + 8
    types, raw, ram = types_of(drawn, size, endian), chance.randbytes(size), Ram(endian)
    ram.put(AT, raw)
    shown = view(types, memory_of(ram), "made", AT)
    lines = {item.member.name: item for item in shown.items()}
    assert list(lines) == [f"m{n}" for n in range(len(drawn))]
    for n, part in enumerate(drawn):
        expected = said(part, raw, ORDER[endian])
        assert shown[f"m{n}"] == getattr(shown, f"m{n}") == expected, part
        item = lines[f"m{n}"]
        assert item.text and not item.why
        if part.kind != "array":
            assert item.number == expected
