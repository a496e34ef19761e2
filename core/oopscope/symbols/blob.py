"""A table in the dead machine's memory, read a page at a time when first asked for.

Knows addresses and bytes; it must not know what the table holds. A walk that needs all of it pays for one bulk read, a
binary search for the few pages that it meets.
"""

import sys
from array import array
from collections.abc import Callable
from typing import Literal

from oopscope.errors import Implausible

Read = Callable[[int, int], bytes]  # (virtual address, size) -> exactly size bytes, or a ReadError
Endian = Literal["<", ">"]
Code = Literal["H", "I", "i", "Q", "q"]  # of the struct and array modules

NATIVE: Endian = "<" if sys.byteorder == "little" else ">"
WIDTHS: dict[Code, int] = {"H": 2, "I": 4, "i": 4, "Q": 8, "q": 8}
PAGE = 4096  # the grain of reading; a kernel's own page is never smaller
PIECE = 256  # pages in one bulk read: 1 MiB
MAX_SIZE = 64 << 20  # no table of a kernel comes near; more is not believed


class Blob:
    """Bytes [address, address + size) of virtual memory; `data` is right where `need` has been called."""

    def __init__(self, read: Read, address: int, size: int) -> None:
        if not 0 <= size <= MAX_SIZE or address < 0:
            raise Implausible(f"a table of {size} bytes", address)
        self._read = read
        self.address, self.size = address, size
        self.data = bytearray(size)
        self._skew = address % PAGE
        self.have = bytearray((size + self._skew + PAGE - 1) // PAGE)

    @classmethod
    def of(cls, data: bytes | bytearray) -> "Blob":
        """Wrap bytes already at hand."""

        def read(address: int, size: int) -> bytes:
            return bytes(data[address : address + size])

        return cls(read, 0, len(data))

    def need(self, start: int, end: int) -> None:
        """Have the bytes [start, end) in `data`; Implausible outside the table, ReadError where memory is missing."""
        if not 0 <= start < end <= self.size:
            raise Implausible(f"offset {start:#x} in a table of {self.size:#x} bytes", self.address)
        first, last = start + self._skew >> 12, end - 1 + self._skew >> 12
        if not self.have[first] or (first != last and self.have.find(0, first, last + 1) >= 0):
            self._load(first, last + 1)

    def all(self) -> bytearray:
        """Have the whole table; return it."""
        if self.size:
            self.need(0, self.size)
        return self.data

    def _load(self, first: int, end: int) -> None:
        have = self.have
        page = have.find(0, first, end)
        while page >= 0:
            stop = have.find(1, page, end)
            stop = min(stop if stop >= 0 else end, page + PIECE)
            low = max(page * PAGE - self._skew, 0)
            high = min(stop * PAGE - self._skew, self.size)
            piece = self._read(self.address + low, high - low)
            if len(piece) != high - low:
                raise Implausible(f"a read of {high - low} bytes gave {len(piece)}", self.address + low)
            self.data[low:high] = piece
            have[page:stop] = b"\1" * (stop - page)
            page = have.find(0, stop, end)


class Ints:
    """A table of integers of one width in the machine's byte order; items by index, read lazily.

    A table in the other byte order than this host's, or one not
    aligned to its elements, is read whole when made.
    """

    def __init__(self, read: Read, address: int, count: int, code: Code, endian: Endian = "<") -> None:
        width = WIDTHS[code]
        blob = Blob(read, address, count * width)
        self.address, self.count = address, count
        self._need, self._have = blob.need, blob.have
        self._skew = address % PAGE // width
        self._shift = 13 - width.bit_length()  # elements in a page, as a power of two
        self._width = width
        if endian != NATIVE:
            swapped = array(code, bytes(blob.all()))
            swapped.byteswap()
            self.view: memoryview[int] = memoryview(swapped)
        else:
            self.view = memoryview(blob.data).cast(code)
            if address % width:
                blob.all()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        if not self._have[index + self._skew >> self._shift]:
            self._need(index * self._width, (index + 1) * self._width)
        return self.view[index]

    def all(self) -> "memoryview[int]":
        """Have the whole table; return it as a sequence of integers."""
        if self.count:
            self._need(0, self.count * self._width)
        return self.view
