"""Layouts: members by path, bit-fields in both byte orders, arrays, and what an earlier run resolved."""

import json
from typing import Any

import pytest

from builders.btf import BtfBuilder
from oopscope.errors import NoMember, NoType
from oopscope.structs.layout import Member, Types
from oopscope.symbols.btf import Btf


def example(endian: str = "<") -> Any:
    b = BtfBuilder(endian)
    i32, u64, char = b.int("int", 4, 1), b.int("unsigned long", 8), b.int("char", 1, 1)
    yes = b.int("_Bool", 1, 4)
    pointer, comm = b.add(2, "", 0), b.array(char, 16)
    counter = b.struct("", 4, ("counter", i32, 0))
    atomic = b.add(8, "atomic_t", counter)
    se = b.struct("sched_entity", 16, ("vruntime", u64, 0), ("weight", u64, 64))
    anon = b.union("", 8, ("cpu", i32, 0), ("mask", u64, 0))
    color = b.enum("color", RED=0, BLUE=7)
    rows = b.array(b.array(i32, 3), 2)
    ses, flexible = b.array(se, 4), b.array(i32, 0)
    b.struct(
        "task_struct",
        400,
        *[("pid", i32, 0), ("alive", yes, 32), ("stack", pointer, 64), ("comm", comm, 128), ("usage", atomic, 256)],
        *[("se", se, 320), ("", anon, 448), ("color", color, 512), ("rows", rows, 544), ("ses", ses, 768)],
        ("flexible", flexible, 1280),
    )
    flags = [("a", i32, 3 << 24 | 0), ("b", i32, 1 << 24 | 3), ("wide", u64, 12 << 24 | 30), ("plain", i32, 64)]
    b.struct("flagged", 12, *flags, flag=1)
    b.struct("old_bits", 4, ("x", b.int("int", 4, 0, bits=5), 7), ("y", b.int("int", 4, 0, bits=2, offset=2), 8))
    b.struct("dup", 8, ("first", i32, 0))
    b.struct("dup", 16, ("second", u64, 64))
    b.add(8, "color_t", color)
    b.struct("loop", 8, ("self", b.first_id + b.count, 0))
    return b.bytes()


def types(endian: str = "<") -> Any:
    data = example(endian)
    return Types(lambda: Btf(data))


@pytest.mark.parametrize("endian", ["<", ">"])
def test_members_by_path(endian: str) -> None:
    found = types(endian)
    at = {
        p: (m.offset, m.size, m.kind)
        for p in (
            "pid",
            "alive",
            "stack",
            "comm",
            "usage",
            "usage.counter",
            "se.weight",
            "cpu",
            "mask",
            "color",
            "ses[2].weight",
        )
        for m in [found.member("task_struct", p)]
    }
    assert at == {
        "pid": (0, 4, "int"),
        "alive": (4, 1, "bool"),
        "stack": (8, 8, "ptr"),
        "comm": (16, 16, "array"),
        "usage": (32, 4, "struct"),
        "usage.counter": (32, 4, "int"),
        "se.weight": (48, 8, "uint"),
        "cpu": (56, 4, "int"),
        "mask": (56, 8, "uint"),
        "color": (64, 4, "enum"),
        "ses[2].weight": (136, 8, "uint"),
    }


def test_arrays() -> None:
    member = types().member
    comm, rows, ses, flexible = (member("task_struct", n) for n in ("comm", "rows", "ses", "flexible"))
    assert (comm.count, comm.element_size, comm.element_kind) == (16, 1, "int")
    assert (rows.count, rows.element_size, rows.size) == (6, 4, 24)
    assert (ses.count, ses.element_size, ses.element_kind) == (4, 16, "struct")
    assert (flexible.count, flexible.element_size, flexible.size) == (0, 4, 0)


def test_bit_fields() -> None:
    little, big = types("<").member, types(">").member
    a, b, wide, plain = (little("flagged", n) for n in ("a", "b", "wide", "plain"))
    assert (a.offset, a.size, a.bit_offset, a.bit_size) == (0, 1, 0, 3)
    assert (b.offset, b.size, b.bit_offset, b.bit_size) == (0, 1, 3, 1)
    assert (wide.offset, wide.size, wide.bit_offset, wide.bit_size) == (3, 4, 6, 12)
    assert (plain.offset, plain.size, plain.bit_size) == (8, 4, 0)
    a, b = big("flagged", "a"), big("flagged", "b")
    assert (a.offset, a.size, a.bit_offset) == (0, 1, 5)  # the top three bits
    assert (b.offset, b.size, b.bit_offset) == (0, 1, 4)
    x, y = little("old_bits", "x"), little("old_bits", "y")
    assert (x.offset, x.size, x.bit_offset, x.bit_size) == (0, 2, 7, 5)
    assert (y.offset, y.bit_offset, y.bit_size) == (1, 2, 2)


def test_the_value_that_a_bit_field_says(rows: int = 0b1011_0110_1100_1001_0101_1010_0011_1100) -> None:
    raw = rows.to_bytes(12, "little")
    for name, low in (("a", 0), ("b", 3), ("wide", 30)):
        m = types().member("flagged", name)
        value = int.from_bytes(raw[m.offset : m.offset + m.size], "little") >> m.bit_offset & (1 << m.bit_size) - 1
        assert value == rows >> low & (1 << m.bit_size) - 1


@pytest.mark.parametrize(
    ("struct", "path", "error"),
    [
        ("no_struct", "a", NoType),
        ("task_struct", "no_member", NoMember),
        ("task_struct", "stack.pid", NoMember),  # never through a pointer
        ("task_struct", "comm.x", NoMember),
        ("task_struct", "pid[0]", NoMember),
        ("task_struct", "se.nothing", NoMember),
        ("task_struct", "", NoMember),
        ("task_struct", "se.", NoMember),
        ("task_struct", "ses[x].weight", NoMember),
        ("color", "RED", NoType),
        ("int", "x", NoType),
    ],
)
def test_what_is_not_there(struct: str, path: str, error: Any) -> None:
    found = types()
    for _ in range(2):  # the second time from what is kept
        with pytest.raises(error):
            found.member(struct, path)
    assert not found.has_member(struct, path)


def test_sizes_and_names() -> None:
    found = types()
    assert [found.sizeof(n) for n in ("task_struct", "struct task_struct", "atomic_t", "int", "enum color")] == [
        *(400, 400, 4, 4, 4)
    ]
    assert found.has("atomic_t")
    assert not found.has("union task_struct")
    with pytest.raises(NoType):
        found.sizeof("nothing")
    assert found.member("atomic_t", "counter").size == 4


def test_a_layout_and_its_namesakes() -> None:
    found = types()
    layout = found.layout("task_struct")
    assert list(layout)[:4] == ["pid", "alive", "stack", "comm"]
    assert "mask" in layout
    assert list(layout.members) == list(layout)
    assert [n.size for n in found.layouts("dup")] == [8, 16]
    assert list(found.layout("dup")) == ["second"]


def test_enums() -> None:
    found = types()
    assert found.enum("color") == found.enum("color_t") == found.enum("enum color") == {"RED": 0, "BLUE": 7}
    assert found.constant("BLUE") == 7
    assert found.constant("GREEN") is None
    for name in ("task_struct", "nothing", "atomic_t"):
        with pytest.raises(NoType):
            found.enum(name)


def test_a_struct_inside_itself_ends_where_the_path_does() -> None:
    assert types().member("loop", "self.self.self").offset == 0


def use(found: Any) -> Any:
    for struct, path in (
        ("task_struct", "se.weight"),
        ("task_struct", "nothing"),
        ("flagged", "wide"),
        ("absent", "x"),
    ):
        try:
            found.member(struct, path)
        except (NoType, NoMember):
            continue
    return [
        found.sizeof("task_struct"),
        found.has("absent"),
        found.enum("color"),
        found.constant("BLUE"),
        found.constant("X"),
    ]


def test_a_second_run_opens_no_btf() -> None:
    first = types()
    expected = use(first)
    saved = json.loads(json.dumps(first.export()))

    def closed() -> None:
        raise AssertionError("BTF opened")

    second = Types(closed)
    second.preload(saved)
    assert use(second) == expected
    assert second.member("task_struct", "se.weight") == first.member("task_struct", "se.weight")
    assert isinstance(second.member("flagged", "wide"), Member)


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"members": {"s": {"p": [1]}}, "sizes": {}, "enums": {}, "constants": {}},
        {
            "members": {"s": {"p": ["p", -1, 8, "int", 1, 0, 0, 0, 0, "void"]}},
            "sizes": {},
            "enums": {},
            "constants": {},
        },
        {
            "members": {"s": {"p": ["p", 1, 8, "thing", 1, 0, 0, 0, 0, "void"]}},
            "sizes": {},
            "enums": {},
            "constants": {},
        },
        {"members": {}, "sizes": {"s": "x"}, "enums": {}, "constants": {}},
        {"members": {}, "sizes": {}, "enums": {"e": {"a": None}}, "constants": {}},
    ],
)
def test_preload_refuses_what_is_malformed(
    saved: dict[str, dict[str, dict[str, list[int | str] | None] | str]],
) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        types().preload(saved)
