"""Plans: members in one unpack, in the row's order; renamed, optional, overlapping, far apart; both byte orders."""

from typing import Any, NamedTuple

import pytest

from core.kernel.fakes import FakeTypes, Ram, memory_of
from oopscope.errors import Implausible, MissingPage, NoMember, NoType
from oopscope.structs.layout import Member
from oopscope.structs.plan import GAP, Plan

AT = 0x40000


def member(offset: int, size: int, kind: str = "uint", **more: int) -> Member:
    return Member("m", offset, size, kind, 0, **more)


MEMBERS = {
    "pid": member(8, 4, "int"),
    "flags": member(12, 4),
    "state": member(16, 8, "int"),
    "comm": member(24, 16, "array", count=16, element_size=1),
    "ptr": member(40, 8, "ptr"),
    "small": member(48, 1),
    "short": member(50, 2, "int"),
    "exit": member(52, 4, "uint", bit_offset=3, bit_size=2),
    "last": member(52, 4, "uint", bit_offset=31, bit_size=1),
    "counts": member(56, 24, "array", count=3, element_size=8),
    "halves": member(80, 8, "array", count=4, element_size=2),
    "color": member(88, 4, "enum"),
    "yes": member(92, 1, "bool"),
    "list": member(96, 16, "struct"),
    "list.next": member(96, 8, "ptr"),
    "sp.low": member(112, 4),
    "sp.word": member(112, 8),
    "far": member(112 + 8 + GAP + 1, 8),
}
TYPES = FakeTypes(task_struct=(2048, MEMBERS), older=(64, {"state_old": member(16, 4, "int")}))


def fill(endian: str = "<") -> Any:
    """A struct at AT whose every member has a value that tells it from the others."""
    ram, order = Ram(endian), {"<": "little", ">": "big"}[endian]

    def put(offset: int, number: int, size: int) -> None:
        ram.put(AT + offset, (number % (1 << 8 * size)).to_bytes(size, order))

    put(8, -7, 4)
    put(12, 0xF0000001, 4)
    put(16, -2, 8)
    ram.put(AT + 24, b"kworker/0:1\0old")
    put(40, 0xFFFF888000000010, 8)
    put(48, 200, 1)
    put(50, -300, 2)
    put(52, 1 << 31 | 2 << 3, 4)
    for i, n in enumerate((1 << 40, 2, 3)):
        put(56 + 8 * i, n, 8)
    for i in range(4):
        put(80 + 2 * i, 65000 + i, 2)
    put(88, 5, 4)
    put(92, 1, 1)
    put(96, 0xAAA, 8)
    put(112, 0x1122334455667788, 8)
    put(112 + 8 + GAP + 1, 99, 8)
    return ram


def bind(row: Any, structs: Any = "task_struct", endian: str = "<", ram: Any = None, **paths: Any) -> Any:
    return Plan(structs, row, **paths).bind(TYPES, memory_of(ram or fill(endian)), endian)


class Everything(NamedTuple):
    color: int
    far: int
    comm: bytes
    exit: int
    pid: int
    address: int
    flags: int
    link: int
    state: int
    absent: int | None
    counts: tuple[int, ...]
    small: int
    last: int
    ptr: int
    short: int
    yes: int
    halves: tuple[int, ...]
    next: int


EXPECTED = Everything(
    5,
    99,
    b"kworker/0:1",
    2,
    -7,
    AT,
    0xF0000001,
    AT + 96,
    -2,
    None,
    (1 << 40, 2, 3),
    200,
    1,
    0xFFFF888000000010,
    -300,
    1,
    (65000, 65001, 65002, 65003),
    0xAAA,
)


@pytest.mark.parametrize("endian", ["<", ">"])
def test_every_kind_of_member_in_the_rows_own_order(endian: str) -> None:
    bound = bind(Everything, endian=endian, link="&list", next="list.next")
    assert bound.row(AT) == EXPECTED
    assert bound.size == 2048


@pytest.mark.parametrize("endian", ["<", ">"])
def test_two_faces_of_a_union(endian: str) -> None:
    class Faces(NamedTuple):
        word: int
        low: int
        state: int
        again: int

    bound = bind(Faces, endian=endian, word="sp.word", low="sp.low", again="sp.word")
    low = 0x55667788 if endian == "<" else 0x11223344
    assert bound.row(AT) == (0x1122334455667788, low, -2, 0x1122334455667788)


def test_a_renamed_member_is_taken_by_its_newest_name() -> None:
    class Row(NamedTuple):
        state: int

    assert bind(Row, state=("__state", "state")).row(AT) == (-2,)
    assert bind(Row, state=("flags", "state")).row(AT) == (0xF0000001,)
    with pytest.raises(NoMember, match="struct task_struct of this kernel has no member __state or gone"):
        bind(Row, state=("__state", "gone"))


def test_a_renamed_struct() -> None:
    class Row(NamedTuple):
        state: int

    bound = bind(Row, structs=("newest", "older"), state=("state_new", "state_old"))
    assert (bound.struct, bound.size, bound.row(AT)) == ("older", 64, (-2,))
    with pytest.raises(NoType, match="newest"):
        bind(Row, structs="newest")


def test_an_optional_member() -> None:
    class Row(NamedTuple):
        pid: int
        gone: int | None
        comm: bytes | None
        other: tuple[int, ...] | None

    bound = bind(Row, other="counts")
    assert bound.row(AT) == (-7, None, b"kworker/0:1", (1 << 40, 2, 3))
    assert (bound.has("gone"), bound.has("pid"), bound.has("unheard of")) == (False, True, False)
    assert bound.offset("pid") == 8
    with pytest.raises(NoMember):
        bound.offset("gone")


def test_a_path_for_no_field_is_a_mistake() -> None:
    class Row(NamedTuple):
        pid: int

    with pytest.raises(TypeError, match="Row has no field pud"):
        Plan("task_struct", Row, pud="pid")


def test_one_field_and_only_addresses() -> None:
    class One(NamedTuple):
        pid: int

    class Places(NamedTuple):
        address: int
        link: int

    assert bind(One).row(AT) == (-7,)
    assert bind(Places, link="&list").row(AT) == (AT, AT + 96)


def test_members_far_apart_are_read_apart() -> None:
    """What lies between costs no page: only the two ends are read."""

    class Row(NamedTuple):
        pid: int
        far: int

    ram = Ram()
    at = 0x50000 - 64
    ram.words(at + 8, 7)
    ram.words(at + 112 + 8 + GAP + 1, 8)
    assert bind(Row, ram=ram).row(at) == (7, 8)
    near = FakeTypes(task_struct=(5000, {"pid": member(8, 4), "far": member(8 + 4 + 3 * 4096, 8)}))
    bound = Plan("task_struct", Row).bind(near, memory_of(ram))
    ram.words(at + 12 + 3 * 4096, 9)
    ram.reads.clear()
    assert bound.row(at) == (7, 9)
    assert set(ram.reads) <= {at + 8 >> 12, at + 12 + 3 * 4096 >> 12}


def test_rows_go_on_after_a_hole() -> None:
    class Row(NamedTuple):
        address: int
        pid: int

    ram, lost = Ram(), []  # type: ignore[var-annotated]
    for at in (0x10000, 0x30000):
        ram.words(at + 8, at)
    bound = bind(Row, ram=ram)
    found = bound.rows([0x10000, 0x20000, 0x30000], lost.append)
    assert list(found) == [(0x10000, 0x10000), (0x30000, 0x30000)]
    assert [(type(e), e.address) for e in lost] == [(MissingPage, 0x20000)]
    with pytest.raises(MissingPage):
        list(bound.rows([0x20000]))


def test_partly_readable() -> None:
    """A struct across two pages, of which one is missing: each member that is there."""

    class Row(NamedTuple):
        pid: int
        comm: bytes
        exit: int
        counts: tuple[int, ...]
        gone: int | None

    ram = fill()
    ram.put(0x61000 - 40, bytes(40))
    start = 0x61000 - 52  # pid, comm and ptr before the edge, the rest beyond
    ram.put(start + 8, (42).to_bytes(4, "little"))
    ram.put(start + 24, b"half\0")
    bound = bind(Row, ram=ram)
    with pytest.raises(MissingPage):
        bound.row(start)
    assert bound.partly(start) == {"pid": 42, "comm": b"half"}
    assert bound.partly(AT) == {"pid": -7, "comm": b"kworker/0:1", "exit": 2, "counts": (1 << 40, 2, 3)}


@pytest.mark.parametrize(
    "lie",
    [member(0, 12, "array", count=4, element_size=3), member(0, 0, "array", count=4, element_size=0),
     member(0, 1 << 31, "array", count=1 << 28, element_size=8), member(0, 8, "array", count=1 << 40, element_size=8),
     member(0, 1 << 40)],
)  # fmt: skip
def test_a_member_of_which_types_lie(lie: Member) -> None:
    class Row(NamedTuple):
        odd: tuple[int, ...]

    with pytest.raises(Implausible):
        Plan("task_struct", Row).bind(FakeTypes(task_struct=(2048, {"odd": lie})), memory_of(fill("<")), "<")
