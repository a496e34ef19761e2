"""The image is gone through once, for all that is looked for in it."""

import struct
from collections import Counter
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from oopscope.boot.image import Image
from oopscope.errors import NotMapped
from oopscope.symbols.search import CHUNK

STEXT = 0xFFFFFFFF81000000
MODULES = range(0xFFFFFFFFC0000000, 0xFFFFFFFFFF000000)


def made(
    data: bytes, order: str = "little", modules: range = MODULES, written: int = STEXT
) -> tuple[Image, Counter[int]]:
    reads: Counter[int] = Counter()

    def read(address: int, size: int) -> bytes:
        reads[address] += 1
        if not STEXT <= address <= STEXT + len(data) - size:
            raise NotMapped(address)
        return data[address - STEXT : address - STEXT + size]

    memory: Any = SimpleNamespace(
        read=read, word_size=8, translate=lambda a: a - STEXT, physical=SimpleNamespace(searching=nullcontext)
    )
    kernel: Any = SimpleNamespace(
        info=SimpleNamespace(symbol=lambda name: written if name == "init_uts_ns" else STEXT),
        memory=memory, endian="<" if order == "little" else ">",
        arch=SimpleNamespace(byteorder=order), machine=SimpleNamespace(modules=lambda _kernel: modules),
    )  # fmt: skip
    return Image(kernel), reads


@pytest.mark.parametrize("order", ["little", "big"])
def test_three_searches_read_each_stretch_once(order: str) -> None:
    data, first = bytearray(4 * CHUNK), "<" if order == "little" else ">"
    data[:4] = b"code"
    data[CHUNK - 4 : CHUNK + 7] = b"\0init_task\0"  # over the border of two stretches
    struct.pack_into(first + "i", data, 2 * CHUNK + 0x100, -(2 * CHUNK + 0x100))
    struct.pack_into(first + "QQ", data, 3 * CHUNK + 0x40, 0xFFFFFFFFC0123458, STEXT + 0x10)
    image, reads = made(bytes(data), order)
    assert next(image.exported_names()) == STEXT + CHUNK - 4
    assert max(reads) < STEXT + 3 * CHUNK  # no further than it takes
    assert list(image.starts()) == [STEXT + 2 * CHUNK + 0x100]
    assert list(image.pointers_to_modules()) == [(STEXT + 3 * CHUNK + 0x40, 0xFFFFFFFFC0123458)]
    assert list(image.exported_names()) == [STEXT + CHUNK - 4]
    assert all(reads[STEXT + n * CHUNK] == 1 for n in range(4))


def test_what_is_only_read_is_sought_before_what_is_written() -> None:
    """Most of what follows the image in the map of all memory is no image."""
    data = bytearray(b"code".ljust(4 * CHUNK, b"\0"))
    for at in (CHUNK + 0x100, 3 * CHUNK + 0x100):
        struct.pack_into("<i", data, at, -at)
        struct.pack_into("<Q", data, at + 0x100, 0xFFFFFFFFC0123458)
    image, reads = made(bytes(data), written=STEXT + 2 * CHUNK + 0x40)
    assert list(image.starts()) == [STEXT + CHUNK + 0x100]
    assert max(reads) == STEXT + 2 * CHUNK
    assert [place for place, _ in image.pointers_to_modules()] == [STEXT + n * CHUNK + 0x200 for n in (1, 3)]


def test_nothing_readable_is_nothing_found() -> None:
    image, reads = made(b"")
    assert not [*image.starts(), *image.exported_names(), *image.pointers_to_modules()]
    assert sum(reads.values()) < 20_000  # it ends after a hole


@pytest.mark.parametrize("order", ["little", "big"])
def test_pointers_to_low_addresses_are_found_among_zeros(order: str) -> None:
    """A space that a carry goes through: its addresses share no more than zeros at the top."""
    modules = range(0x3FF_8000_0000, 0x401_0000_0000)
    data, first = bytearray(CHUNK), "<" if order == "little" else ">"
    words = (0x3FF_8000_0000, 0, 1, 0x3FF_7FFF_FFFF, 0x400_0000_1000, 0x401_0000_0000, 0x3FF_FFFF_FFF8)
    struct.pack_into(f"{first}{len(words)}Q", data, 0x1008, *words)
    struct.pack_into(first + "Q", data, CHUNK - 8, 0x400_0000_0008)
    image, _ = made(bytes(data), order, modules)
    assert [(at - STEXT, word) for at, word in image.pointers_to_modules()] == [
        (0x1008, words[0]), (0x1028, words[4]), (0x1038, words[6]), (CHUNK - 8, 0x400_0000_0008),
    ]  # fmt: skip


def test_a_space_of_all_low_addresses_costs_no_more_where_memory_is_zero() -> None:
    """Every word of zeros begins as the pointers do; each run of them is passed at once."""
    data = bytearray(CHUNK)
    struct.pack_into(">Q", data, 0x8000, 0x7000_0000)
    struct.pack_into(">Q", data, 0x8010, 0x7000_0010)
    image, _ = made(bytes(data), "big", range(0x6000_0000, 0x8000_0000))
    assert [word for _, word in image.pointers_to_modules()] == [0x7000_0000, 0x7000_0010]
