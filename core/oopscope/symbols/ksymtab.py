"""The symbols that a kernel exports to its modules, data among them: __ksymtab, found by the name of the first task.

Follows include/linux/export.h and kernel/module.c. An entry is two or three words: the symbol, its name, its namespace
(5.4), each as an offset from its own place (PREL32, 4.19 on most machines) or as an address. Where kallsyms has
functions only (no CONFIG_KALLSYMS_ALL) this is what is left of the data.
"""

import struct
from array import array
from collections.abc import Iterable, Iterator

from oopscope.errors import OopscopeError
from oopscope.symbols.blob import NATIVE, Endian, Read
from oopscope.symbols.named import Named
from oopscope.symbols.search import IMAGE, occurrences, read_lenient

KNOWN = b"\0init_task\0"  # exported since modules are there
NEAR = 4 << 20  # bytes between an entry and its name at the most
MAX_ENTRIES = 1 << 17
MAX_NAME = 512
LEAST = 500  # entries that a real table has at the least
BEGIN = "__start___ksymtab"  # the linker's name for where the table, or a part of it, begins


class _Shape:
    """One way of writing the table: bytes of a word, whether it is an offset from its own place, words an entry."""

    def __init__(self, size: int, relative: bool, words: int, endian: Endian) -> None:
        self.size, self.relative, self.words = size, relative, words
        self.word = struct.Struct(endian + ("i" if relative else "Q" if size == 8 else "I"))

    @property
    def stride(self) -> int:
        return self.size * self.words

    def value(self, raw: bytes, at: int, place: int, top: int) -> int:
        """Return the address that a word at `at` of raw, which lies at `place` in memory, stands for."""
        (number,) = self.word.unpack_from(raw, at)
        return int((place + number) % top if self.relative else number)


def find(read: Read, stext: int, bits: int, endian: Endian, names: Iterable[int] | None = None) -> Named | None:
    """Search the image from _stext on; None where there is no such table.

    names: where KNOWN stands in the image, for who has looked.
    """
    top = 1 << bits
    for name in occurrences(read, KNOWN, stext, stext + IMAGE) if names is None else names:
        base = max(name + 1 - NEAR, 0) & -16
        raw = read_lenient(read, base, name + 1 - base)
        if raw is None:
            continue
        for place, shape in _entries(raw, base, name + 1, bits, endian):
            entries = list(_walk(read, raw, base, place, shape, top))
            if len(entries) >= LEAST:
                begin = min(at for _name, _value, at in entries)
                pairs = [(name, value) for name, value, _at in entries]
                return Named("the exported symbols", [*pairs, (BEGIN, begin)])
    return None


def _entries(raw: bytes, base: int, name: int, bits: int, endian: Endian) -> Iterator[tuple[int, _Shape]]:
    """Yield where an entry may begin whose second word means the name, and how such entries are written."""
    for size, relative in ((4, True), (bits // 8, False)):
        words = array("i" if relative else "Q" if size == 8 else "I", raw[: len(raw) // size * size])
        if endian != NATIVE:
            words.byteswap()
        for index, number in enumerate(words):
            if (number == name - base - size * index) if relative else (number == name):
                for each in (3, 2):
                    yield base + size * (index - 1), _Shape(size, relative, each, endian)


def _walk(read: Read, raw: bytes, base: int, place: int, shape: _Shape, top: int) -> Iterator[tuple[str, int, int]]:
    """Yield the entries about one, in both directions, as long as each has a name: that, the symbol, the place."""
    names = _Names(read)
    for step in (shape.stride, -shape.stride):
        at = place if step > 0 else place - shape.stride
        for _ in range(MAX_ENTRIES):
            if not 0 <= at - base <= len(raw) - shape.stride:
                break
            name = names.at(shape.value(raw, at - base + shape.size, at + shape.size, top))
            if name is None:
                break
            yield name, shape.value(raw, at - base, at, top), at
            at += step


class _Names:
    """Names in __ksymtab_strings, read a stretch at a time."""

    STRETCH = 64 << 10

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept: dict[int, bytes] = {}

    def at(self, address: int) -> str | None:
        """Return the name at an address; None where what stands there is none."""
        start = address - address % self.STRETCH
        raw = self._stretch(start)[address - start :]
        if b"\0" not in raw[:MAX_NAME]:
            raw += self._stretch(start + self.STRETCH)
        name = raw[:MAX_NAME].partition(b"\0")[0]
        text = name.decode("latin-1")
        return text if text.isascii() and text.isidentifier() else None

    def _stretch(self, start: int) -> bytes:
        if start not in self._kept:
            try:
                self._kept[start] = read_lenient(self._read, start, self.STRETCH) or b""
            except OopscopeError:
                self._kept[start] = b""
        return self._kept[start]
