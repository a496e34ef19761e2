"""One file of a kdump-compressed dump: its bitmaps, its page descriptors, its pages.

A page's descriptor is found by its rank in the second bitmap; set bits are counted a block of the bitmap at a time,
when first asked for, so opening costs the headers alone, whatever the machine's memory.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property

from oopscope.codecs import by_flag
from oopscope.dumps.kdump.header import parse_header
from oopscope.errors import MissingPage
from oopscope.sources import ByteSource
from oopscope.sources.bitmap import Bitmap

COMPRESSIONS = 0x1 | 0x2 | 0x4 | 0x20
DESCRIPTOR = 24
BATCH = 2048  # descriptors read at once in passing through all pages
AT_ONCE, MAX_HELD = 170, 512  # for a page its descriptor is read with its neighbours, a page of them; so many are kept

Descriptor = tuple[int, int, int]  # of a stored page: offset in the file, size as it is stored, flags


class Part:
    """One file of the set: its header, its bitmaps, and where its descriptors are."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.header = h = parse_header(source)
        half = h.bitmap_blocks // 2 * h.block_size
        two = h.bitmap_blocks >= 2 * -(-h.max_mapnr // (8 * h.block_size))  # else one bitmap plays both roles
        size = half if two else h.bitmap_blocks * h.block_size
        self.ram = Bitmap(source, h.bitmap, size, h.max_mapnr)
        self.saved = Bitmap(source, h.bitmap + half, size, h.max_mapnr) if two else self.ram
        self.first, self.end = (h.start_pfn, h.end_pfn) if h.split else (0, self.saved.bits)
        self._descriptor = struct.Struct(h.abi.endian + "QII")
        self._descriptors, self._block = h.descriptors, h.block_size
        self._held: dict[int, bytes] = {}  # blocks of descriptors
        self.bitmap_bytes = h.bitmap_blocks * h.block_size

    @cached_property
    def before(self) -> int:
        """How many pages of the dump come before this file's first; their descriptors are in other files."""
        return self.saved.rank(self.first) if self.first else 0

    @cached_property
    def pages(self) -> int:
        """How many pages of the dump this file should have, by its bitmap."""
        return self.saved.rank(self.end) - self.before

    def window(self, start: int, count: int) -> list[Descriptor | None]:
        """Return so many descriptors from an index on; a None after the last one where the file ends among them."""
        raw = self.source.read_at(self._descriptors + start * DESCRIPTOR, count * DESCRIPTOR)
        whole = len(raw) // DESCRIPTOR
        found: list[Descriptor | None] = [self._descriptor.unpack_from(raw, n * DESCRIPTOR) for n in range(whole)]
        return [*found, None] if whole < count else found

    def descriptor(self, index: int) -> Descriptor | None:
        """Return (offset, size, flags) of a stored page; None where the file ends before its descriptor."""
        block, at = divmod(index, AT_ONCE)
        raw = self._held.get(block)
        if raw is None:
            if len(self._held) >= MAX_HELD:
                self._held.clear()
            size = AT_ONCE * DESCRIPTOR
            raw = self._held[block] = self.source.read_at(self._descriptors + block * size, size)
        if len(raw) < (at + 1) * DESCRIPTOR:
            return None
        found: Descriptor = self._descriptor.unpack_from(raw, at * DESCRIPTOR)
        return found

    def page(self, rank: int, address: int) -> bytes:
        """Read and unpack the page with so many pages of the dump below it."""
        where = self.descriptor(rank - self.before)
        if where is None:
            raise MissingPage(address, "truncated")
        return self._unpack(*where, address)

    def packed(self, rank: int, address: int) -> tuple[bytes, int]:
        """Read the page with so many pages of the dump below it as it is stored: its bytes, its descriptor's flags."""
        where = self.descriptor(rank - self.before)
        if where is None:
            raise MissingPage(address, "truncated")
        return self._stored(*where, address), where[2] & COMPRESSIONS

    def _unpack(self, offset: int, size: int, flags: int, address: int) -> bytes:
        data, flag = self._stored(offset, size, flags, address), flags & COMPRESSIONS
        if not flag and size == self._block:
            return data
        try:
            return by_flag(flag)(data, self._block)
        except ValueError:
            raise MissingPage(address, "corrupt") from None

    def _stored(self, offset: int, size: int, flags: int, address: int) -> bytes:
        if offset == 0:  # the disk was full before its turn came
            raise MissingPage(address, "truncated")
        if size > self._block or offset < self._descriptors:
            raise MissingPage(address, "corrupt")
        data = self.source.read_at(offset, size)
        if len(data) < size:
            raise MissingPage(address, "truncated")
        if not flags & COMPRESSIONS and size != self._block:
            raise MissingPage(address, "corrupt")
        return data

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number, bytes) of the pages in this file, without those that share the one place of zero pages."""
        index, zeros, blank = 0, -1, bytes(self._block)
        for first, end in self.saved.runs():
            for start in range(max(first, self.first), min(end, self.end), BATCH):
                count = min(BATCH, min(end, self.end) - start)
                raw = self.source.read_at(self._descriptors + index * DESCRIPTOR, count * DESCRIPTOR)
                index += count
                for n in range(len(raw) // DESCRIPTOR):
                    offset, size, flags = self._descriptor.unpack_from(raw, n * DESCRIPTOR)
                    if offset == zeros:
                        continue
                    with suppress(MissingPage):
                        page = self._unpack(offset, size, flags, 0)
                        if flags or page != blank:
                            yield start + n, page
                        else:
                            zeros = offset
