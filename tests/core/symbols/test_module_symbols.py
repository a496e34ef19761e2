"""A module's symbols: undefined and mapping ones left out, names over page ends, counts that lie."""

import struct
from typing import Any

import pytest

from oopscope.errors import Implausible, NotMapped, OopscopeError
from oopscope.symbols.module_symbols import ModuleSymbols

BASE = 0xFFFFFFFFC0000000
STRTAB = 0x10000 - 20  # names run over a page's end
SYMTAB = 0x20000
TYPETAB = 0x30000

SYMBOLS = [
    ("", 0, 0, 0, "?"),
    ("printk", 0, 0, 0, "U"),
    ("init_module", BASE + 0x100, 0x80, 1, "t"),
    ("$x", BASE + 0x180, 0, 1, "t"),
    ("labcrash_fire", BASE + 0x180, 0x40, 1, "t"),
    ("alias", BASE + 0x180, 0x40, 1, "T"),
    ("", BASE + 0x1A0, 0, 1, "t"),
    ("do_one.isra.0", BASE + 0x40, 0x10, 1, "t"),
    ("twice", BASE + 0x300, 4, 3, "d"),
    ("twice", BASE + 0x200, 4, 3, "d"),
]


def build(bits: int = 64, endian: str = "<", symbols: Any = SYMBOLS) -> Any:
    names, rows = b"\0", b""
    for name, value, size, section, _ in symbols:
        at = len(names) if name else 0
        if name:
            names += name.encode() + b"\0"
        if bits == 64:
            rows += struct.pack(endian + "IBBHQQ", at, 2, 0, section, value, size)
        else:
            rows += struct.pack(endian + "IIIBBH", at, value & 0xFFFFFFFF, size, 2, 0, section)
    regions = {STRTAB: names.ljust(8000, b"\0"), SYMTAB: rows, TYPETAB: "".join(s[4] for s in symbols).encode()}
    lowest = {(STRTAB & -4096): bytes(STRTAB & 4095) + regions.pop(STRTAB), **regions}

    def read(address: int, size: int) -> Any:
        for start, data in lowest.items():
            if start <= address and address + size <= start + len(data):
                return data[address - start : address - start + size]
        raise NotMapped(address)

    return read


@pytest.mark.parametrize(("bits", "endian"), [(64, "<"), (64, ">"), (32, "<"), (32, ">")])
def test_names_and_addresses(bits: int, endian: str) -> None:
    base = BASE if bits == 64 else BASE & 0xFFFFFFFF
    table = ModuleSymbols(build(bits, endian), SYMTAB, len(SYMBOLS), STRTAB, TYPETAB, bits, endian)
    assert table.name_at(base + 0x100) == ("init_module", 0)
    assert table.name_at(base + 0x17F) == ("init_module", 0x7F)
    assert table.name_at(base + 0x185) == ("labcrash_fire", 5)
    assert table.name_at(base + 0x1A4) == ("labcrash_fire", 0x24)  # an unnamed symbol is passed over
    assert table.name_at(base + 0x9000) == ("twice", 0x8D00)
    assert table.name_at(base) is None
    assert table.name_at(0) is None
    assert table.lookup("labcrash_fire") == table.lookup("alias") == base + 0x180
    assert table.lookup_all("twice") == [base + 0x200, base + 0x300]
    for absent in ("printk", "$x", "", "nothing"):
        assert table.lookup(absent) is None
    listed = [(s.name, s.type) for s in table.symbols()]
    assert listed[:2] == [("do_one.isra.0", "t"), ("init_module", "t")]
    assert ("alias", "T") in listed
    assert len(listed) == 6


def test_no_type_letters() -> None:
    read = build()
    assert {s.type for s in ModuleSymbols(read, SYMTAB, len(SYMBOLS), STRTAB).symbols()} == {"?"}
    assert {s.type for s in ModuleSymbols(read, SYMTAB, len(SYMBOLS), STRTAB, 0x99000).symbols()} == {"?"}


def test_nothing_is_read_before_it_is_asked_for() -> None:
    def read(address: int, size: int) -> None:
        raise AssertionError("read")

    ModuleSymbols(read, SYMTAB, len(SYMBOLS), STRTAB, TYPETAB)


def test_counts_and_places_that_lie() -> None:
    read = build()
    for count in (-1, 1 << 30):
        with pytest.raises(Implausible):
            ModuleSymbols(read, SYMTAB, count, STRTAB)
    with pytest.raises(OopscopeError):
        ModuleSymbols(read, SYMTAB, 100_000, STRTAB).name_at(BASE)
    assert ModuleSymbols(read, SYMTAB, 0, STRTAB).name_at(BASE + 0x100) is None


def test_names_that_are_missing_or_endless() -> None:
    read = build()
    assert ModuleSymbols(read, SYMTAB, len(SYMBOLS), 0x77000).name_at(BASE + 0x100) is None

    def endless(address: int, size: int) -> Any:
        return b"x" * size if address < SYMTAB else read(address, size)

    assert ModuleSymbols(endless, SYMTAB, len(SYMBOLS), STRTAB).name_at(BASE + 0x100) is None
