"""Plans of any members, in any order, of any bytes, read what the bytes say: row, array, part by part."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, cast

from hypothesis import given
from hypothesis import strategies as st

from core.kernel.fakes import FakeTypes, Ram, memory_of
from oopscope.errors import ReadError
from oopscope.structs.layout import Member
from oopscope.structs.plan import GAP, Plan
from properties import few

AT = 0x40000 - 100  # structs lie across the edge of a page
ORDER: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}


class Drawn(NamedTuple):
    """A member, the annotation of its field, and what the struct's bytes say that its value is."""

    member: Member
    hint: Any
    expected: Callable[[bytes, Literal["little", "big"]], object]


def number(offset: int, size: int, signed: bool) -> Drawn:
    made = Member("m", offset, size, "int" if signed else "uint", 0)
    return Drawn(made, int, lambda raw, order: int.from_bytes(raw[offset : offset + size], order, signed=signed))


def bits(offset: int, size: int, first: int, width: int) -> Drawn:
    width = min(width, 8 * size - first)
    made = Member("m", offset, size, "uint", 0, bit_offset=first, bit_size=width)
    mask = (1 << width) - 1
    return Drawn(made, int, lambda raw, order: int.from_bytes(raw[offset : offset + size], order) >> first & mask)


def text(offset: int, size: int) -> Drawn:
    made = Member("m", offset, size, "array", 0, count=size, element_size=1)
    return Drawn(made, bytes, lambda raw, _order: raw[offset : offset + size].partition(b"\0")[0])


def numbers(offset: int, count: int, size: int) -> Drawn:
    made = Member("m", offset, count * size, "array", 0, count=count, element_size=size)

    def expected(raw: bytes, order: Literal["little", "big"]) -> tuple[int, ...]:
        return tuple(int.from_bytes(raw[at : at + size], order) for at in range(offset, offset + count * size, size))

    return Drawn(made, tuple[int, ...], expected)


@st.composite
def structs(draw: st.DrawFn) -> tuple[list[Drawn], int]:
    """Members one after the other, some with gaps before them, some upon others, and the struct's size."""
    members: list[Drawn] = []
    at = 0
    size = st.sampled_from((1, 2, 4, 8))
    for _ in range(draw(st.integers(1, 9))):
        at += draw(st.sampled_from((0, 0, 1, 7, 40, GAP + 9)))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            made = number(at, draw(size), draw(st.booleans()))
        elif kind == 1:
            width = draw(size)
            made = bits(at, width, draw(st.integers(0, 8 * width - 1)), draw(st.integers(1, 8 * width)))
        elif kind == 2:
            made = text(at, draw(st.integers(1, 20)))
        else:
            made = numbers(at, draw(st.integers(1, 5)), draw(size))
        members.append(made)
        if draw(st.integers(0, 4)):  # else the next lies upon it: a union
            at += made.member.size
    end = max(each.member.offset + each.member.size for each in members)
    return members, end + draw(st.integers(0, 9))


def plan_of(members: list[Drawn], order: list[int]) -> tuple[Plan[Any], FakeTypes]:
    """A plan that names some members in an order, and the types that it binds to."""
    row = NamedTuple("Row", [(f"m{at}", members[at].hint) for at in order])  # type: ignore[misc]
    types = FakeTypes(made=(0, {f"m{at}": each.member for at, each in enumerate(members)}))
    return Plan("made", cast("type[Any]", row)), types


@few
@given(structs(), st.randoms(use_true_random=False), st.sampled_from("<>"))
def test_rows_are_what_the_bytes_say(drawn: tuple[list[Drawn], int], chance: Any, endian: str) -> None:
    members, size = drawn
    raw = [chance.randbytes(size) for _ in range(3)]
    order = chance.sample(range(len(members)), chance.randint(1, len(members)))
    plan, types = plan_of(members, order)
    types._structs["made"] = (size, types._structs["made"][1])
    ram = Ram(endian)
    ram.put(AT, b"".join(raw))
    bound = plan.bind(types, memory_of(ram), endian)
    expected = [tuple(members[at].expected(one, ORDER[endian]) for at in order) for one in raw]
    assert [tuple(bound.row(AT + n * size)) for n in range(3)] == expected
    assert [tuple(row) for row in bound.array(AT, 3)] == expected
    assert bound.partly(AT) == {f"m{at}": value for at, value in zip(order, expected[0], strict=True)}


@few
@given(structs(), st.integers(1, 4095))
def test_of_a_struct_cut_by_a_missing_page_what_is_there_is_read(drawn: tuple[list[Drawn], int], before: int) -> None:
    """Its first bytes are in the dump, the others are not: each member by itself, and a row only of what is whole."""
    members, size = drawn
    plan, types = plan_of(members, list(range(len(members))))
    types._structs["made"] = (size, types._structs["made"][1])
    start = 0x50000 - min(before, size)
    raw = bytes(at * 7 + 1 & 0xFF for at in range(size))
    ram = Ram()
    ram.put(start, raw[: 0x50000 - start])
    bound = plan.bind(types, memory_of(ram))
    there = {
        f"m{at}": each.expected(raw, "little")
        for at, each in enumerate(members)
        if start + each.member.offset + each.member.size <= 0x50000
    }
    assert bound.partly(start) == there
    try:
        row = bound.row(start)
    except ReadError:
        assert len(there) < len(members)
    else:
        assert row._asdict() == there
