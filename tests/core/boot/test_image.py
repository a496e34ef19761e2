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


def made(data: bytes, order: str = "little") -> tuple[Image, Counter[int]]:
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
        info=SimpleNamespace(symbol=lambda _name: STEXT), memory=memory, endian="<" if order == "little" else ">",
        arch=SimpleNamespace(byteorder=order), machine=SimpleNamespace(modules=lambda _kernel: MODULES),
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


def test_nothing_readable_is_nothing_found() -> None:
    image, reads = made(b"")
    assert not [*image.starts(), *image.exported_names(), *image.pointers_to_modules()]
    assert sum(reads.values()) < 20_000  # it ends after a hole
