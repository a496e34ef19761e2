"""Page tables of a paravirtualized guest written anew: its own pages in the entries, and none of what is not its."""

import struct
from typing import Any

from oopscope.distill.host_tables import at_home
from oopscope.errors import MissingPage
from oopscope.machine import arch

PAGING = arch("x86_64").pagings["4-level"]
FLAGS = 0x8000000000000063
HOSTS = {0x900: 1, 0x700: 2, 0x800: 3, 0x300: 4, 0x500: 5, 0x600: 6}


def place(address: int) -> Any:
    if address >> 12 not in HOSTS:
        raise MissingPage(address, "never-saved")
    return HOSTS[address >> 12] << 12


def table(**entries: Any) -> Any:
    return struct.pack("<512Q", *(entries.get(f"n{n}", 0) for n in range(512)))


def host(page: bytes | int, flags: int = FLAGS) -> Any:
    return page << 12 | flags


def test_tables_are_followed_and_pages_are_not() -> None:
    pages = {
        1: table(n511=host(0x700), n3=host(0xABC)),
        2: table(n510=host(0x800), n0=0x900 << 12),  # the second is not present
        3: table(n0=host(0x300), n1=host(0x300)),
        4: table(n7=host(0x500), n8=host(0x600)),
        5: table(n0=host(0x700)),  # a page of data that looks like a table
    }
    found = at_home(PAGING, 1 << 12, place, pages.keys(), pages.__getitem__)
    assert found == {
        1: table(n511=2 << 12 | FLAGS),
        2: table(n510=3 << 12 | FLAGS, n0=0x900 << 12),
        3: table(n0=4 << 12 | FLAGS, n1=4 << 12 | FLAGS),
        4: table(n7=5 << 12 | FLAGS, n8=6 << 12 | FLAGS),
    }


def test_tables_that_name_themselves_end() -> None:
    pages = {1: table(n0=host(0x900), n1=host(0x900))}
    assert at_home(PAGING, 1 << 12, place, pages.keys(), pages.__getitem__) == {
        1: table(n0=1 << 12 | FLAGS, n1=1 << 12 | FLAGS)
    }
