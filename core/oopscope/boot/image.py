"""One pass over a kernel's image for all that is looked for there by what it holds.

The exported symbols, the ORC tables and the head of the list of modules are found by bytes that lead to them. Reading
the image costs a second; so each stretch is read once, as far as somebody asks for, and looked through for all of them.
It knows the bytes, and not what they lead to: who asks checks each place.
"""

import struct
from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.once import once
from oopscope.lazy_re import lazy_re
from oopscope.symbols import ksymtab
from oopscope.symbols.search import CHUNK, HOLE, IMAGE, read_lenient

Place = TypeVar("Place")
PAGE = 4096
NOT_ZERO = lazy_re(rb"[^\0]")
LEADS = 4  # of them a stretch is searched as often
MOST = 1 << 16  # places of one kind that are kept: a real image has a few, but for pointers into modules


class Image:
    """The image from _stext on; each kind of place is found in the order of addresses."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        stext = kernel.info.symbol("_stext")
        self._stext = stext or 0
        self._at = self._stext & -PAGE
        self._end = self._at + IMAGE if stext is not None else 0
        data = kernel.info.symbol("init_uts_ns")  # what is only read is linked before what is written
        self._written = data if data is not None and self._at < data < self._end else self._end
        self._unreadable = 0
        self._tail = b""
        self._exported: list[int] = []
        self._starts: list[int] = []
        self._pointers: list[tuple[int, int]] = []

    def exported_names(self) -> Iterator[int]:
        """Yield where the name of the first task stands, a NUL on both sides: among the names of exported symbols."""
        yield from self._each(self._exported, self._written)

    def starts(self) -> Iterator[int]:
        """Yield where a word of four bytes stands that leads from its own place to _stext."""
        yield from self._each(self._starts, self._written)

    def pointers_to_modules(self) -> Iterator[tuple[int, int]]:
        """Yield each word that points to where modules are loaded, and not into the image itself: place, value."""
        yield from self._each(self._pointers, self._end)

    def _each(self, found: list[Place], end: int) -> Iterator[Place]:
        at = 0
        while True:
            while at < len(found):
                yield found[at]
                at += 1
            if self._at >= end or not self._go_on():
                return

    def _go_on(self) -> bool:
        """Look through one more stretch; False at the end of the image."""
        if self._at >= self._end or self._unreadable > HOLE:
            return False
        at, self._at = self._at, self._at + CHUNK
        with self._kernel.memory.physical.searching():
            raw = read_lenient(self._kernel.memory.read, at, CHUNK)
        self._unreadable = self._unreadable + CHUNK if raw is None else 0
        if raw is None:
            self._tail = b""
            return True
        data, base = self._tail + raw, at - len(self._tail)
        _keep(self._exported, (base + hit for hit in _places(data, ksymtab.KNOWN)))
        _keep(self._starts, leading_to(at, raw, self._stext, self._kernel.endian))
        _keep(self._pointers, self._pointing(at, raw))
        self._tail = data[1 - len(ksymtab.KNOWN) :]
        return True

    def _pointing(self, base: int, raw: bytes) -> Iterator[tuple[int, int]]:
        """Yield the words of a stretch that point to modules: found by the bytes that all such pointers begin with."""
        yield from sorted((base + at, word) for lead in self._leads for at, word in self._led(raw, lead))

    def _led(self, raw: bytes, lead: bytes) -> Iterator[tuple[int, int]]:
        """Yield the words of a stretch that begin with some bytes and point to modules: offset, value."""
        size, order = self._kernel.memory.word_size, self._kernel.arch.byteorder
        space, own = self._space, self._own
        within = size - len(lead) if order == "little" else 0
        hit = raw.find(lead)
        while hit >= 0:
            at = hit - within
            if at % size == 0 and 0 <= at <= len(raw) - size:
                word = int.from_bytes(raw[at : at + size], order)
                if word in space and word not in own:
                    yield at, word
                elif word == 0:  # of which a stretch has many, where low addresses begin with zeros
                    more = NOT_ZERO.search(raw, at)
                    at = max(at, (more.start() if more else len(raw)) - size)
            hit = raw.find(lead, (at // size + 1) * size + within)

    @cached_property
    def _space(self) -> range:
        return self._kernel.machine.modules(self._kernel)

    @cached_property
    def _leads(self) -> list[bytes]:
        """The highest bytes of pointers to modules, in the order of memory: as many of them as have few values.

        Of a space in which all have many, the lowest addresses are looked for, where modules are put first.
        """
        size, space = self._kernel.memory.word_size, self._space
        few = [n for n in range(1, size) if len(_highest(space, size - n)) <= LEADS]
        kept = max(few, default=1)
        values = _highest(space, size - kept) if few else _highest(space, size - 1)[:1]
        return [value.to_bytes(kept, self._kernel.arch.byteorder) for value in values]

    @cached_property
    def _own(self) -> range:
        """The image's own addresses: it is one piece of physical memory, and modules are not."""
        translate, end = self._kernel.memory.translate, self._stext
        try:
            first = translate(self._stext) - self._stext
            while end < self._stext + IMAGE and translate(end) - end == first:
                end += CHUNK
        except OopscopeError:
            pass
        return range(self._stext & -PAGE, end)


@once
def image(kernel: Kernel) -> Image:
    """Return a kernel's image, which is gone through once."""
    return Image(kernel)


def _highest(space: range, lower: int) -> range:
    """Return the values that addresses of a space have above their lower bytes."""
    return range(space.start >> 8 * lower, (max(space.stop - 1, space.start) >> 8 * lower) + 1)


def _keep(found: list[Place], more: Iterator[Place]) -> None:
    for one in more:
        if len(found) >= MOST:
            return
        found.append(one)


def _places(data: bytes, pattern: bytes) -> Iterator[int]:
    hit = data.find(pattern)
    while hit >= 0:
        yield hit
        hit = data.find(pattern, hit + 1)


def leading_to(base: int, raw: bytes, target: int, endian: str) -> Iterator[int]:
    """Yield the addresses of words of four bytes that lead from their own place to a target."""
    at = 2 if endian == "<" else 0
    for page in range(0, len(raw), PAGE):
        for distance in {target - base - page, target - base - page - PAGE + 4}:
            half = struct.pack(endian + "h", max(-0x8000, min(distance >> 16, 0x7FFF)))
            found = raw.find(half, page, page + PAGE)
            while found >= 0:
                start = found - at
                if start % 4 == 0 and 0 <= start <= len(raw) - 4:
                    (word,) = struct.unpack_from(endian + "i", raw, start)
                    if base + start + word == target:
                        yield base + start
                found = raw.find(half, found + 1, page + PAGE)
