"""The exported symbols, found by the name of the first task: each way of writing the table, and what is none."""

import struct
from typing import Any

import pytest

from oopscope.errors import MissingPage
from oopscope.symbols import ksymtab

TEXT = 0xFFFFFFFF81000000
TABLE, NAMES = TEXT + 0x4000, TEXT + 0x20000
COUNT = 700


def names() -> list[str]:
    return sorted([f"lab_symbol_{i:04}" for i in range(COUNT - 1)] + ["init_task"])


def image(size: int, relative: bool, words: int, endian: str, bits: int, listed: list[str]) -> bytes:
    """A kernel's image from TEXT on, with a table of exports and their names."""
    top, data = 1 << bits, bytearray(0x40000)
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in listed)
    base = TEXT % top
    data[NAMES - TEXT : NAMES - TEXT + len(strings)] = strings
    at = TABLE - TEXT
    for index, name in enumerate(listed):
        where = base + NAMES - TEXT + strings.index(b"\0" + name.encode() + b"\0") + 1
        fields = [base + 0x30000 + 16 * index, where, 0][:words]
        for field in fields:
            place = base + at
            if relative:
                data[at : at + 4] = struct.pack(endian + "i", field - place if field else 0)
            else:
                data[at : at + size] = struct.pack(endian + ("Q" if size == 8 else "I"), field)
            at += size
    return bytes(data)


def reader(data: bytes, base: int) -> Any:
    def read(address: int, size: int) -> bytes:
        if not 0 <= address - base <= len(data) - size:
            raise MissingPage(address, "never-saved")
        return data[address - base : address - base + size]

    return read


@pytest.mark.parametrize(
    "size, relative, words, endian, bits",
    [
        (4, True, 3, "<", 64),  # x86_64, arm64
        (4, True, 2, "<", 64),  # 4.19 to 5.3
        (4, True, 3, ">", 64),  # s390x
        (8, False, 3, "<", 64),
        (8, False, 2, ">", 64),
        (4, False, 3, "<", 32),
    ],
)
def test_every_way_of_writing_the_table(size: int, relative: bool, words: int, endian: str, bits: int) -> None:
    listed, base = names(), TEXT % (1 << bits)
    found = ksymtab.find(reader(image(size, relative, words, endian, bits, listed), base), base, bits, endian)
    assert found is not None
    assert len(found) == COUNT + 1
    assert found.lookup(ksymtab.BEGIN) == (TABLE % (1 << bits))
    assert [found.lookup(name) for name in listed] == [base + 0x30000 + 16 * i for i in range(COUNT)]
    assert found.lookup("no_such") is None


def test_a_string_alone_or_a_few_entries_are_no_table() -> None:
    few = [*names()[:20], "init_task"]
    assert ksymtab.find(reader(image(4, True, 3, "<", 64, sorted(few)), TEXT), TEXT, 64, "<") is None
    alone = bytearray(0x8000)
    alone[0x100:0x10B] = b"\0init_task\0"
    assert ksymtab.find(reader(bytes(alone), TEXT), TEXT, 64, "<") is None


def test_nothing_readable_is_none() -> None:
    assert ksymtab.find(reader(b"", TEXT), TEXT, 64, "<") is None
