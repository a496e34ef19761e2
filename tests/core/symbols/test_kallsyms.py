"""kallsyms: every encoding and order of its tables, found by VMCOREINFO and by scanning; tables that lie."""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from oopscope.errors import Implausible, NoSymbol, OopscopeError, ReadError
from oopscope.symbols.kallsyms import Kallsyms, open_kallsyms
from oopscope.symbols.kallsyms_names import Tokens
from oopscope.symbols.kallsyms_scan import scan
from oopscope.symbols.kallsyms_tables import Tables, locate
from oopscope.symbols.vmcoreinfo import VmcoreInfo

ERAS = ["4.5", "4.6", "4.6-nopercpu", "6.1", "6.4", "6.4-absolute", "6.15", "7.0"]
LOW = 0x80100000  # a 32-bit kernel's


def check(table: Any, made: Any) -> None:
    """Compare every symbol both ways."""
    assert [(s.address, s.type, s.name) for s in table.symbols()] == made.symbols
    for address, _type, name in made.symbols[:20] + made.symbols[20::7] + made.symbols[-9:]:
        assert address in table.lookup_all(name)
    assert table.lookup("no_such_thing") is None
    assert table.lookup_all("twice") == sorted(a for a, _, n in made.symbols if n == "twice")
    text = [(a, n) for a, _, n in made.symbols if a >= made.stext]
    first = dict(reversed(text))
    for (address, _), (following, _) in pairwise(text):
        name = first[address]
        if following > address and name != "_etext":
            assert table.name_at(following - 1) == (name, following - 1 - address)


@pytest.mark.thorough
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("long_names", [False, True])
def test_named_by_vmcoreinfo(make_kallsyms: Callable[..., Any], era: str, endian: str, long_names: bool) -> None:
    made = make_kallsyms(era, endian=endian, long_names=long_names and era not in ("4.5", "4.6"))
    tables = locate(made.image.read, made.info, 64, endian)
    assert tables.markers == made.places["markers"]
    assert tables.seqs == made.places.get("seqs_of_names", 0)
    assert tables.start == made.stext
    check(Kallsyms(made.image.read, tables), made)


@pytest.mark.thorough
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("endian", ["<", ">"])
def test_found_by_scanning(make_kallsyms: Callable[..., Any], era: str, endian: str) -> None:
    made = make_kallsyms(era, endian=endian)
    tables = scan(made.image.read, made.stext, 64, endian)
    assert tables == locate(made.image.read, made.info, 64, endian)
    check(Kallsyms(made.image.read, tables), made)


@pytest.mark.parametrize("era", ["4.5", "4.6-nopercpu", "6.15", "7.0"])
@pytest.mark.parametrize("endian", ["<", ">"])
def test_thirty_two_bits(make_kallsyms: Callable[..., Any], era: str, endian: str) -> None:
    made = make_kallsyms(era, endian=endian, bits=32, stext=LOW)
    by_name = locate(made.image.read, made.info, 32, endian)
    assert by_name == scan(made.image.read, made.stext, 32, endian)
    check(Kallsyms(made.image.read, by_name), made)


@pytest.mark.parametrize("era", ["4.6", "4.6-nopercpu", "7.0"])
def test_without_stext_the_addresses_must_ascend(make_kallsyms: Callable[..., Any], era: str) -> None:
    made = make_kallsyms(era)
    del made.info.raw["SYMBOL(_stext)"]
    check(Kallsyms(made.image.read, locate(made.image.read, made.info)), made)
    del made.info.raw["SYMBOL(kallsyms_names)"]
    with pytest.raises(Implausible):
        open_kallsyms(made.image.read, made.info)


def test_the_kernels_own_choice_among_aliases_and_no_name_outside(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("6.4")
    table = open_kallsyms(made.image.read, made.info)
    end = table.symbol("_end")
    assert table.name_at(made.stext) == ("startup_64", 0)
    assert table.name_at(made.stext + 8) == ("startup_64", 8)
    assert table.name_at(table.symbol("init_task") + 4) == ("prb", 4)
    assert table.name_at(made.stext - 1) is None
    assert table.name_at(0x1004) is None  # a per-CPU offset is no address
    assert table.name_at(end) == ("_end", 0)
    assert table.name_at(end + 1) is None
    assert table.name_at(1 << 64) is None
    assert table.name_at(table.symbol("_etext")) == ("_etext", 0)
    assert table.name_at(table.symbol("_etext") + 1) is None  # the gap before the data
    assert table.lookup("runqueues") == 0x1000
    with pytest.raises(NoSymbol):
        table.symbol("nothing")


def test_few_pages_are_read(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("7.0")
    table = Kallsyms(made.image.read, locate(made.image.read, made.info))
    made.image.reads = 0
    assert table.lookup("init_task")
    assert made.image.reads < 30
    before = made.image.reads
    assert table.lookup("init_task")
    assert table.lookup("missing") is None
    table.lookup("missing")
    assert made.image.reads < before + 10


def test_export_and_preload_at_another_place(make_kallsyms: Callable[..., Any]) -> None:
    made, moved = make_kallsyms("6.1"), make_kallsyms("6.1", stext=0xFFFFFFFFB3400000)
    first = open_kallsyms(made.image.read, made.info)
    task = first.symbol("init_task")
    wanted = {n: first.lookup(n) for n in ("init_task", "runqueues", "twice", "absent")}
    offset = first.name_at(task - 0x20000)
    first.name_at(first.symbol("_etext") + 5)
    saved = first.export(made.stext)

    def nothing(address: int, size: int) -> None:
        raise AssertionError("read")

    by = moved.stext - made.stext
    tables = Tables.restore(first.tables.saved(made.stext), moved.stext)
    second = Kallsyms(nothing, tables)
    second.preload(saved, moved.stext)
    for name, address in wanted.items():
        assert second.lookup(name) == (address if name in ("runqueues", "absent") else address + by)
    assert second.name_at(task - 0x20000 + by) == offset
    assert second.name_at(first.symbol("_etext") + 5 + by) is None
    assert tables == locate(moved.image.read, moved.info)


@pytest.mark.parametrize(
    "saved", [{}, {"found": {"a": [[1]]}, "spans": []}, {"found": {}, "spans": [[0, 9, "a"], [4, 1, "b"]]}]
)
def test_preload_refuses_what_is_malformed(
    make_kallsyms: Callable[..., Any], saved: dict[str, dict[str, list[list[int]]] | list[list[int | str]]]
) -> None:
    made = make_kallsyms("6.1")
    with pytest.raises((ValueError, TypeError, KeyError)):
        open_kallsyms(made.image.read, made.info).preload(saved, made.stext)


def test_compressing_is_the_builds_own(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("4.6")
    names = open_kallsyms(made.image.read, made.info)._open().names
    texts = [t + n for _, t, n in made.symbols]
    assert names.tokens.compress(texts) == [bytes(names.raw(i)) for i in range(len(texts))]
    assert len(names.tokens.pairs()) == sum(len(s) > 1 for s in names.tokens.strings)


def test_names_compressed_in_another_way_are_still_found(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("4.6")
    table = open_kallsyms(made.image.read, made.info)
    names = table._open().names
    names.tokens._pairs = []  # as if no pair could be told
    assert not names._is_compressible()
    check(table, made)


@pytest.mark.parametrize("name", ["", "é", "\u0100", "T\0", "@#!", "x" * 5000])
@pytest.mark.parametrize("era", ["4.6", "6.15"])
def test_odd_names_are_absent(make_kallsyms: Callable[..., Any], era: str, name: str) -> None:
    made = make_kallsyms(era)
    assert open_kallsyms(made.image.read, made.info).lookup(name) is None


def test_llvm_suffixes_sorted_without_them(make_kallsyms: Callable[..., Any], symbols_of: Any) -> None:
    stext = 0xFFFFFFFFA1000000
    symbols = symbols_of(stext)
    symbols[40] = (symbols[40][0], "t", "do_cold.llvm.1234567")
    symbols[50] = (symbols[50][0], "t", "do_cold.part.0")
    made = make_kallsyms("6.4", symbols=symbols)
    ranks = sorted(range(len(symbols)), key=lambda i: (symbols[i][2].split(".llvm.")[0], i))
    at = made.places["seqs_of_names"] - made.stext
    made.image.data[at : at + 3 * len(ranks)] = b"".join(i.to_bytes(3, "big") for i in ranks)
    table = open_kallsyms(made.image.read, made.info)
    assert table.lookup("do_cold.part.0") == symbols[50][0]
    assert table.lookup("do_cold.llvm.1234567") in (symbols[40][0], None)
    assert symbols[40][0] in (table.lookup("do_cold"), table.lookup("do_cold.llvm.1234567"))


def poke(made: Any, place: Any, piece: Any) -> None:
    at = made.places[place] - made.stext
    made.image.data[at : at + len(piece)] = piece


@pytest.mark.thorough
@pytest.mark.parametrize("era", ["4.6", "6.1", "7.0"])
@pytest.mark.parametrize("count", [0, 1, 255, 3000, 1 << 20, 0xFFFFFFFF])
def test_a_lying_count(make_kallsyms: Callable[..., Any], era: str, count: int) -> None:
    made = make_kallsyms(era)
    poke(made, "num_syms", struct.pack("<I", count))
    with pytest.raises(OopscopeError):
        locate(made.image.read, made.info)
    with pytest.raises(OopscopeError):
        scan(made.image.read, made.stext)


@pytest.mark.parametrize("place", ["markers", "token_index", "token_table", "offsets", "relative_base"])
def test_a_table_overwritten(make_kallsyms: Callable[..., Any], place: str) -> None:
    made = make_kallsyms("4.6")
    poke(made, place, b"\xa5\x5a" * 300)
    with pytest.raises(OopscopeError):
        open_kallsyms(made.image.read, made.info)


def test_names_overwritten_after_the_first_run(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("6.4")
    table = open_kallsyms(made.image.read, made.info)
    at = made.places["names"] - made.stext + 3000
    made.image.data[at : at + 2000] = b"\xff" * 2000
    for name in ("init_task", "twice", "nothing", "do_s791_open"):
        try:
            table.lookup(name)
        except Implausible:
            continue
    with pytest.raises(Implausible):
        list(table.names())


def test_seqs_that_point_outside(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("7.0")
    table = open_kallsyms(made.image.read, made.info)
    poke(made, "seqs_of_names", b"\xff" * 3 * len(made.symbols))
    with pytest.raises(Implausible):
        table.lookup("init_task")


def test_seqs_that_are_no_order_are_not_used(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("7.0")
    poke(made, "seqs_of_names", bytes(3 * len(made.symbols)))
    table = open_kallsyms(made.image.read, made.info)
    assert table.tables.seqs == 0
    check(table, made)


def test_missing_pages_are_read_errors(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("6.4")
    tables = locate(made.image.read, made.info)
    made.image.holes.update(range(tables.offsets >> 12, (tables.offsets >> 12) + 3))
    with pytest.raises(ReadError):
        Kallsyms(made.image.read, tables).name_at(made.stext + 0x5000)
    with pytest.raises(ReadError):
        locate(made.image.read, made.info)


def test_scanning_over_holes(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("4.6", text=3 << 20)
    made.image.holes.update(range(made.stext + 0x100000 >> 12, made.stext + 0x180000 >> 12))
    check(open_kallsyms(made.image.read, made.info), made)


@pytest.mark.parametrize("size", [0, 100, 4096, 3 << 20])
def test_scanning_a_truncated_image(make_kallsyms: Callable[..., Any], size: int) -> None:
    made = make_kallsyms("4.6", text=3 << 20)
    del made.image.data[size + 0x1000 :]
    with pytest.raises(OopscopeError):
        scan(made.image.read, made.stext)


@pytest.mark.thorough
def test_aliases_without_end(make_kallsyms: Callable[..., Any], symbols_of: Any) -> None:
    stext = 0xFFFFFFFFA1000000
    symbols = [
        *symbols_of(stext)[:40],
        *((stext + 0x9000, "t", f"alias{i}") for i in range(6000)),
        (stext + 0xA000, "T", "_end"),
    ]
    made = make_kallsyms("6.15", symbols=symbols[3:])
    assert open_kallsyms(made.image.read, made.info).name_at(stext + 0x9001)[1] == 1


def test_tables_that_lie_about_themselves(make_kallsyms: Callable[..., Any]) -> None:
    made = make_kallsyms("7.0")
    good = locate(made.image.read, made.info)
    for bad in (
        {"count": -1},
        {"count": 1 << 30},
        {"markers": 0},
        {"names": 0},
        {"token_index": good.token_table},
        {"offsets": 1 << 63},
    ):
        with pytest.raises(OopscopeError):
            Kallsyms(made.image.read, good._replace(**bad)).name_at(made.stext + 5)


def test_tokens_must_fit_their_index() -> None:
    with pytest.raises(Implausible):
        Tokens.parse(b"a\0" * 256, [1] * 256)
    with pytest.raises(Implausible):
        Tokens.parse(b"a" * 600, list(range(256)))
    assert Tokens.parse(b"a\0" * 256, range(0, 512, 2)).strings == [b"a"] * 256


def test_nothing_to_go_by() -> None:
    with pytest.raises(Implausible):
        open_kallsyms(lambda address, size: bytes(size), VmcoreInfo({}))


def test_real(real_kernel: Any) -> None:
    table, info, checked = real_kernel.symbols, real_kernel.info, 0
    for name in ("_stext", "init_uts_ns", "prb", "log_buf", "clear_seq"):
        address = info.symbol(name)
        if address is None:
            continue
        try:
            assert table.lookup(name) == address
            assert table.name_at(address) is not None
            checked += 1
        except ReadError:  # a distilled dump lacks what no report reads
            continue
    assert checked or table.lookup("modules")
    assert table.name_at(info.symbol("_stext") - 1) is None
    names = info.symbol("kallsyms_names")
    assert names in (None, table.tables.names)
