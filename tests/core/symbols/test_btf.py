"""BTF: names, aliases, sizes, members, enumerators, split BTF; unknown kinds; tables that lie."""

import struct
from typing import Any

import pytest

from oopscope.errors import Implausible, NotMapped, NoType, OopscopeError, ReadError
from oopscope.symbols.blob import Blob
from oopscope.symbols.btf import Btf, Field, find_btf
from oopscope.symbols.btf_table import CONST, PTR, STRUCT, TYPEDEF, VOLATILE

SIGNED, CHAR, BOOL = 1, 2, 4


@pytest.fixture(params=["<", ">"])
def built(request: pytest.FixtureRequest, btf_builder: type[Any]) -> tuple[Any, dict[str, int]]:
    """A small kernel's types, and the ids of the ones that tests ask for."""
    b = btf_builder(request.param)
    ids = {}
    ids["int"] = b.int("int", 4, SIGNED)
    ids["ulong"] = b.int("long unsigned int", 8)
    ids["char"] = b.int("char", 1, SIGNED)
    ids["task_p"] = b.add(PTR, "", 5)  # forward, to task_struct
    ids["task"] = b.struct(
        "task_struct", 64, ("pid", 1, 0), ("", 6, 64), ("comm", 7, 192), ("parent", 4, 320), ("flags", 8, 384)
    )
    ids["anon"] = b.union("", 16, ("se", 9, 0), ("", 10, 0))
    ids["comm"] = b.array(3, 16)
    ids["vol"] = b.add(VOLATILE, "", b.first_id + b.count + 3)
    ids["se"] = b.struct("sched_entity", 16, ("vruntime", 2, 0), ("load", 2, 64))
    ids["inner"] = b.struct("", 8, ("low", 1, 0), ("high", 1, 32))
    ids["typedef"] = b.add(TYPEDEF, "flags_t", 2)
    ids["const"] = b.add(CONST, "", ids["task_p"])
    ids["cint"] = b.add(CONST, "", ids["int"])
    ids["proto"] = b.add(13, "", 1, [b.string("task"), 4, 0, 0], 2)
    ids["proto_p"] = b.add(PTR, "", ids["proto"])
    ids["array_p"] = b.add(PTR, "", ids["comm"])
    ids["enum"] = b.enum("zone_stat_item", NR_FREE_PAGES=0, NR_MINUS=-1, NR_LAST=9)
    ids["big"] = b.enum("", size=8, PG_HUGE=1 << 40, PG_ONE=1)
    ids["var"] = b.add(14, "runqueues", ids["task"], [1])
    ids["datasec"] = b.add(15, ".data..percpu", 0, [ids["var"], 0x40, 64], 1)
    ids["void_p"] = b.add(PTR, "", 0)
    ids["float"] = b.add(16, "double", 8)
    ids["second"] = b.struct("sched_entity", 8)
    return b, ids


def test_names(built: tuple[Any, dict[str, int]]) -> None:
    b, ids = built
    btf = Btf(b.bytes())
    assert btf.find("task_struct") == btf.get("task_struct") == ids["task"]
    assert btf.find_all("sched_entity") == [ids["se"], ids["second"]]
    assert btf.find_all("sched_entity", STRUCT) == [ids["se"], ids["second"]]
    assert btf.find("task_struct", TYPEDEF) is None
    assert btf.find("") is None
    with pytest.raises(NoType):
        btf.get("no_such_struct")
    assert "flags_t" in set(btf.names())
    assert btf.count == 1 + b.count
    assert btf.name(0) == "void"
    assert btf.problem is None


def test_sizes_and_aliases(built: tuple[Any, dict[str, int]]) -> None:
    b, ids = built
    btf = Btf(b.bytes())
    assert [btf.size(ids[n]) for n in ("int", "task", "comm", "task_p", "typedef", "vol", "enum", "big", "float")] == [
        *(4, 64, 16, 8, 8, 8, 4, 8, 8)
    ]
    assert [btf.size(ids[n]) for n in ("proto", "var")] == [0, 64]
    assert btf.size(0) == 0
    assert btf.strip(ids["vol"]) == ids["ulong"]
    assert btf.integer(ids["int"]).signed
    assert not btf.integer(ids["ulong"]).signed


def test_members(built: tuple[Any, dict[str, int]]) -> None:
    b, ids = built
    btf = Btf(b.bytes())
    names = [(f.name, f.bit_offset) for f in btf.fields(ids["task"])]
    assert names == [("pid", 0), ("se", 64), ("low", 64), ("high", 96), ("comm", 192), ("parent", 320), ("flags", 384)]
    assert btf.fields(ids["second"]) == ()


def test_enumerators(built: tuple[Any, dict[str, int]]) -> None:
    b, ids = built
    btf = Btf(b.bytes())
    assert btf.enumerators(ids["enum"]) == {"NR_FREE_PAGES": 0, "NR_MINUS": -1, "NR_LAST": 9}
    assert btf.enumerator("PG_HUGE") == 1 << 40
    assert btf.enumerator("NR_LAST") == 9
    assert btf.enumerator("task_struct") is None
    assert btf.enumerator("nothing") is None
    assert btf.enumerator("") is None


def test_enums_signed_by_their_flag_where_any_has_one(btf_builder: type[Any]) -> None:
    b = btf_builder()
    plain = b.enum("plain", HIGH=0xFFFFFFFF)
    old = Btf(b.bytes())
    signed = b.enum("signed", flag=1, MINUS=-1)
    new = Btf(b.bytes())
    assert old.enumerators(plain) == {"HIGH": -1}
    assert new.enumerators(plain) == {"HIGH": 0xFFFFFFFF}
    assert new.enumerators(signed) == {"MINUS": -1}


def test_variables(built: tuple[Any, dict[str, int]]) -> None:
    b, ids = built
    variable = Btf(b.bytes()).variables()["runqueues"]
    assert variable == ("runqueues", ids["task"], 0x40, 64)
    assert Btf(b.bytes()).variables(".bss") == {}


def test_spelling(built: tuple[Any, dict[str, int]]) -> None:
    b, ids = built
    btf = Btf(b.bytes())
    assert {n: btf.type_name(ids[n]) for n in ("task_p", "comm", "const", "cint", "proto_p", "array_p", "void_p")} == {
        "task_p": "struct task_struct *",
        "comm": "char [16]",
        "const": "struct task_struct *const",
        "cint": "const int",
        "proto_p": "int (*)(struct task_struct *, ...)",
        "array_p": "char (*)[16]",
        "void_p": "void *",
    }
    assert btf.type_name(ids["ulong"]) == "unsigned long"
    assert btf.type_name(ids["anon"]) == "union {...}"
    assert btf.type_name(ids["vol"], "jiffies") == "volatile flags_t jiffies"
    assert btf.type_name(ids["enum"]) == "enum zone_stat_item"


def test_split(btf_builder: type[Any]) -> None:
    base = btf_builder()
    base.int("int", 4, SIGNED)
    base.struct("list_head", 16)
    names = base.array(1, 4)
    own = btf_builder(base=base, first_id=4)
    mine = own.struct("my_struct", 24, ("list", 2, 0), ("value", 1, 128))
    pointer = own.add(PTR, "", mine)
    kernel = Btf(base.bytes())
    btf = Btf(own.bytes(), kernel)
    assert btf.get("my_struct") == mine == 4
    assert (btf.array(names), btf.integer(1).bits) == ((1, 4), 32)  # the kernel's own, longer than the module's types
    assert btf.get("list_head") == 2
    assert btf.fields(mine) == (Field("list", 2, 0, 0), Field("value", 1, 128, 0))
    assert btf.type_name(pointer) == "struct my_struct *"
    assert btf.type_name(2) == "struct list_head"
    assert set(btf.names()) == {"my_struct", "int", "list_head"}
    assert btf.size(mine) == 24
    assert kernel.find("my_struct") is None


def test_the_index_of_an_earlier_run_costs_single_pages(btf_builder: type[Any]) -> None:
    b = btf_builder()
    number = b.int("int", 4, SIGNED)
    for i in range(3000):
        b.struct(f"struct_number_{i}", 8, ("first", number, 0), ("second", number, 32))
    data, reads = b.bytes(), []

    def read(address: int, size: int) -> bytes:
        reads.append(size)
        return data[address - 0x5000 : address - 0x5000 + size]

    first = Btf.at(read, 0x5000, 0x5000 + len(data))
    wanted = first.get("struct_number_2000")
    fields, index = first.fields(wanted), first.export_index()
    reads.clear()
    second = Btf(Blob(read, 0x5000, len(data)), index=index)
    assert second.fields(wanted) == fields
    assert second.name(wanted) == "struct_number_2000"
    assert sum(reads) < 40000
    assert second.get("struct_number_2000") == wanted
    for bad in (index[:100], b"\xff" * 400, struct.pack("=III", 1 << 30, 0, 0)):
        assert Btf(data, index=bad).get("struct_number_2000") == wanted


def test_unknown_kinds(btf_builder: type[Any]) -> None:
    b = btf_builder()
    b.int("int", 4, SIGNED)
    b.add(27, "future", 0, [1, 2, 3, 4, 5], 2)
    after = b.struct("after", 4, ("a", 1, 0))
    lost = Btf(b.bytes())
    assert lost.problem is not None
    assert lost.find("int") == 1
    assert lost.find("after") is None
    b.layout = b"".join(
        struct.pack("<BBH", 4, 8, 0) if kind == 27 else struct.pack("<BBH", 0, 0, 0) for kind in range(28)
    )
    known = Btf(b.bytes())
    assert known.problem is None
    assert known.get("after") == after


@pytest.mark.parametrize(
    "lie",
    [
        {"magic": 0x1234},
        {"version": 2},
        {"hdr_len": 0},
        {"hdr_len": 0xFFFFFFF0},
        {"type_off": 0xFFFFFFFC},
        {"type_len": 0x7FFFFFFC},
        {"type_off": 2},
        {"str_off": 0xFFFFFFF0},
        {"str_len": 0x7FFFFFFF},
    ],
)
def test_headers_that_lie(built: tuple[Any, dict[str, int]], lie: dict[str, int]) -> None:
    with pytest.raises(Implausible):
        Btf(built[0].bytes(**lie))


@pytest.mark.parametrize("size", [0, 3, 23])
def test_no_header_at_all(size: int) -> None:
    with pytest.raises(Implausible):
        Btf(bytes(size))


def test_empty() -> None:
    btf = Btf(struct.pack("<HBBIIIII", 0xEB9F, 1, 0, 24, 0, 0, 0, 0))
    assert btf.find("int") is None
    assert btf.enumerator("x") is None
    with pytest.raises(Implausible):
        btf.kind(1)
    with pytest.raises(Implausible):
        btf.string(5)


def test_chains_without_end(btf_builder: type[Any]) -> None:
    b = btf_builder()
    loop = b.add(TYPEDEF, "loop", 2)
    b.add(CONST, "", loop)
    array = b.array(4, 1 << 30)
    b.add(TYPEDEF, "deep", array)
    pointer = b.add(PTR, "", 5)
    self_ = b.struct("self", 8, ("", 6, 0))
    twin = b.struct("twin", 8, ("a", 7, 0), ("", 8, 0))
    b.struct("", 8, ("", twin, 0))
    btf = Btf(b.bytes())
    for call in (lambda: btf.strip(loop), lambda: btf.size(loop), lambda: btf.size(array), lambda: btf.fields(self_)):
        with pytest.raises(Implausible):
            call()
    with pytest.raises(Implausible):
        btf.fields(twin)
    assert "..." in btf.type_name(loop) or btf.type_name(loop) == "loop"
    assert "..." in btf.type_name(pointer)


def test_a_prototype_that_multiplies(btf_builder: type[Any]) -> None:
    b = btf_builder()
    b.add(PTR, "", 2)
    b.add(13, "", 1, [0, 1] * 30, 30)
    assert len(Btf(b.bytes()).type_name(1)) < 5000


def test_a_struct_that_multiplies(btf_builder: type[Any]) -> None:
    b = btf_builder()
    for level in range(1, 30):
        b.struct("", 8, *[("", level + 1, 0)] * 30)
    b.struct("", 8)
    with pytest.raises(Implausible):
        Btf(b.bytes()).fields(1)


def test_lying_vlen_and_ids(btf_builder: type[Any]) -> None:
    b = btf_builder()
    b.add(STRUCT, "short", 8, [1, 2, 3], 9000)
    btf = Btf(b.bytes())
    with pytest.raises(Implausible):
        btf.fields(1)
    b = btf_builder()
    b.struct("s", 8, ("a", 0xFFFFFFFF, 0), ("b", 77, 0))
    btf = Btf(b.bytes())
    for field in btf.fields(1):
        with pytest.raises(Implausible):
            btf.size(field.type)


def test_every_truncation_and_a_byte_of_noise_is_an_oopscope_error_or_nothing(
    built: tuple[Any, dict[str, int]],
) -> None:
    b, _ = built
    data = b.bytes()
    cases = [data[:n] for n in range(0, len(data), 7)]
    cases += [data[:n] + bytes([data[n] ^ 0xA5]) + data[n + 1 :] for n in range(0, len(data), 3)]
    for case in cases:
        try:
            btf = Btf(case)
            for number in range(btf.count):
                btf.type_name(number)
                for call in (btf.size, btf.strip, btf.fields, btf.enumerators):
                    try:
                        call(number)
                    except OopscopeError:
                        continue
            btf.variables()
            btf.enumerator("NR_LAST")
        except OopscopeError:
            continue


@pytest.mark.parametrize("endian", ["<", ">"])
def test_found_without_a_symbol(btf_builder: type[Any], endian: str) -> None:
    b = btf_builder(endian)
    number = b.int("int", 4, SIGNED)
    for i in range(12_000):
        b.struct(f"struct_number_{i}", 8, ("first", number, 0))
    data = b.bytes()
    magic = data[:4]
    text = bytes(100_001) + magic + b"\x18\0\0\0" + bytes(3_000_000) + magic

    def read(address: int, size: int) -> bytes:
        if address < 0x1000 or address + size > 0x1000 + len(text) + len(data) + 5000:
            raise NotMapped(address)
        return (text + data + bytes(5000))[address - 0x1000 : address - 0x1000 + size]

    start = 0x1000 + len(text)
    assert find_btf(read, 0x1000) == (start, start + len(data))
    reads: list[int] = []

    def nothing(address: int, size: int) -> bytes:
        reads.append(address)
        return bytes(size)

    assert find_btf(nothing, 0x1000) is None
    assert len(reads) == len(set(reads))  # one pass, for both byte orders
    reads.clear()
    assert find_btf(nothing, 0x1000, 0x1000 + (3 << 20)) is None and len(reads) == 3  # up to what is written
    assert find_btf(read, 0x1000, start + len(data) + 100) == (start, start + len(data))
    assert find_btf(read, 0x1000, 0x10) == (start, start + len(data))  # of no use


def test_a_hole_is_a_read_error(built: tuple[Any, dict[str, int]]) -> None:
    data = built[0].bytes()

    def read(address: int, size: int) -> Any:
        if address + size > 0x1000 + 200:
            raise ReadError(address, "excluded", "gone")
        return data[address - 0x1000 : address - 0x1000 + size]

    with pytest.raises(ReadError):
        Btf.at(read, 0x1000, 0x1000 + len(data))


@pytest.mark.thorough
def test_real(real_kernel: Any) -> None:
    if real_kernel.find_symbol("__start_BTF") is None:
        pytest.skip("a kernel without BTF")
    btf = real_kernel.types.btf
    assert btf.problem is None
    word = real_kernel.memory.word_size
    assert btf.size(btf.get("list_head", STRUCT)) == 2 * word
    task = {f.name: f for f in btf.fields(btf.get("task_struct", STRUCT))}
    assert btf.type_name(task["comm"].type) == "char [16]"
    assert btf.type_name(task["mm"].type) == "struct mm_struct *"
    assert btf.enumerators(btf.get("zone_stat_item"))["NR_FREE_PAGES"] == real_kernel.info.number("NR_FREE_PAGES")
    for name in ("page.flags", "page.mapping", "zone.free_area", "list_head.next", "uts_namespace.name", "page.lru"):
        told = real_kernel.info.offset(name)
        if told is not None:
            assert real_kernel.types.member(*name.split(".")).offset == told
    for name in ("page", "zone", "pglist_data", "printk_info", "printk_log", "prb_desc"):
        told = real_kernel.info.size(name)
        if told is not None:
            assert real_kernel.types.sizeof(name) == told
