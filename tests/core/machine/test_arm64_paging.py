"""aarch64's page tables: translations of a real kernel, entry by entry; shapes of all sizes of page; what is none."""

import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from oopscope.arch import Mapping, Paging
from oopscope.errors import NotMapped, ReadError
from oopscope.machine import arch
from oopscope.machine.aarch64.arch import PAGE_SHIFTS, SIZES

ARM64 = arch("aarch64")
# Of a kernel (6.12, 4 KiB pages, built for 52 bits) on a CPU with FEAT_LPA2: the address, the entries on its way, its
# physical address, which kimage_voffset and PHYS_OFFSET tell as well, and the size of its page.
ROOT = 0x41A92000
TEXT_WAY = {0x41A92078: 0x100000004205B003, 0x4205B9E8: 0x100000004205C003, 0x4205C758: 0x100000004205D003}
LINEAR_WAY = {0x41A92000: 0x180000004FFFF003, 0x4FFFF000: 0x180000004FFFE003, 0x4FFFE000: 0x180000004FFFD003}
KNOWN_LPA2 = [
    (0xFFFF9EBADF210000, {**TEXT_WAY, 0x4205D7C8: 0x100000004205E003, 0x4205E080: 0xD0000040210483}, 0x40210000, 12),
    (0xFFFF9EBAE0F1D498, {**TEXT_WAY, 0x4205D838: 0xE8000041E00401}, 0x41F1D498, 21),
    (0xFFFF9EBAE0CF9AD8, {**TEXT_WAY, 0x4205D830: 0x1000000042060003, 0x420607C8: 0xF8000041CF9403}, 0x41CF9AD8, 12),
    (0xFFF0000002000123, {**LINEAR_WAY, 0x4FFFD080: 0x180000004FFF8003, 0x4FFF8000: 0xE8000042000407}, 0x42000123, 12),
]


def reader(entries: dict[int, int]) -> Callable[..., Any]:
    def read(at: int, size: int) -> bytes:
        if at not in entries:
            raise ReadError(at)  # type: ignore[call-arg]
        return struct.pack("<Q", entries[at])

    return read


def physical(paging: Paging, root: int, address: int, entries: dict[int, int]) -> tuple[int, int]:
    found = paging.translate(root, address, reader(entries))
    return found.start + (address & found.size - 1), found.size.bit_length() - 1


@pytest.mark.parametrize("address, entries, expected, shift", KNOWN_LPA2)
def test_known_translations_of_five_levels(address: int, entries: Any, expected: int, shift: int) -> None:
    assert physical(ARM64.pagings["4K 52"], ROOT, address, entries) == (expected, shift)


def test_an_entry_of_zero_maps_nothing() -> None:
    entries = {0x41A92078: 0x100000004205B003, 0x4205B800: 0x1000000042591003, 0x42591008: 0}
    with pytest.raises(NotMapped):
        ARM64.pagings["4K 52"].translate(ROOT, 0xFFFF80007FFFF000, reader(entries))


@pytest.mark.parametrize("page, bits", [(page, bits) for page, sizes in SIZES.items() for bits in sizes])
def test_shapes(page: str, bits: int) -> None:
    """Levels join without a gap, and the topmost resolves what is left of an address."""
    levels = ARM64.pagings[f"{page} {bits}"].levels
    assert levels[-1].shift == PAGE_SHIFTS[page]
    assert levels[-1].table is None
    assert levels[0].shift + levels[0].bits == bits
    assert all(lower.shift + lower.bits == upper.shift for upper, lower in pairwise(levels))


# The first level that may map a block, by the Arm ARM's table of translation granules: 1 GiB, 32 MiB, 512 MiB; with 52
# bits of address 512 GiB, 64 GiB, 4 TiB.
BLOCKS = [("4K", 48, 30), ("4K", 39, 30), ("16K", 48, 25), ("16K", 47, 25), ("64K", 48, 29), ("64K", 42, 29)]
BLOCKS += [("4K", 52, 39), ("16K", 52, 36), ("64K", 52, 42)]


@pytest.mark.parametrize("page, bits, largest", BLOCKS)
def test_blocks(page: str, bits: int, largest: int) -> None:
    paging = ARM64.pagings[f"{page} {bits}"]
    address = (1 << 64) - (1 << bits)
    for level in paging.levels[:-1]:
        entries = {}
        table = 0x10_0000
        for _above in paging.levels[: paging.levels.index(level)]:
            entries[table] = table + 0x10_0000 | 3
            table += 0x10_0000
        entries[table] = 7 << level.shift & (1 << 48) - 1 | 0x401
        if level.shift > largest:
            with pytest.raises(NotMapped):
                paging.translate(0x10_0000, address, reader(entries))
        else:
            found = paging.translate(0x10_0000, address, reader(entries))
            assert found == Mapping(7 << level.shift & (1 << 48) - 1, 1 << level.shift)


HIGH = [
    ("64K", 52, 0x3_0000 | 0xF000 | 3, 0xF_0000_0003_0000),  # bits 15..12 are 51..48
    ("64K", 48, 0x3_0000 | 0x5000 | 3, 0x5_0000_0003_0000),
    ("4K", 52, 0x3000 | 0x300 | 3, 0xC_0000_0000_3000),  # bits 9..8 are 51..50
    ("16K", 52, 0x4000 | 0x100 | 1 << 49 | 3, 0x6_0000_0000_4000),
    ("4K", 48, 0x3000 | 0x300 | 3, 0x3000),  # there they say with whom the page is shared
    ("16K", 48, 0x4000 | 0x300 | 1 << 50 | 3, 0x4000),
]


@pytest.mark.parametrize("page, bits, entry, expected", HIGH)
def test_the_highest_bits_of_an_address(page: str, bits: int, entry: int, expected: int) -> None:
    paging = ARM64.pagings[f"{page} {bits}"]
    address = (1 << 64) - (1 << bits)
    entries, table = {}, 0x10_0000
    for _ in paging.levels[:-1]:
        entries[table] = table + 0x10_0000 | 3
        table += 0x10_0000
    entries[table] = entry
    assert paging.translate(0x10_0000, address, reader(entries)).start == expected


def test_flags_are_no_address() -> None:
    """Those of software, of protection keys and the contiguous hint among them."""
    entries = {**TEXT_WAY, 0x4205D7C8: 0x100000004205E003, 0x4205E080: 0xFFFC_0000_4021_0C83}
    assert physical(ARM64.pagings["4K 52"], ROOT, 0xFFFF9EBADF210000, entries) == (0x40210000, 12)
