"""AVML images, version 2: memory in blocks, each a snappy stream.

Follows AVML's image.rs and snappy's framing_format.txt. A block is a header like LiME's, a framed snappy stream of
the block's bytes, and the stream's length in 8 bytes; so the blocks are found from the end of the file backwards,
without reading what is in them. Newer AVML cuts blocks at 16 MiB and leaves out those that hold only zero bytes.
"""

import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress

from oopscope.codecs import by_flag
from oopscope.dumps import CpuState, Facts, Note
from oopscope.errors import FormatError, MissingPage
from oopscope.sources import ByteSource
from oopscope.sources.extents import LIMIT, Extents

MAGIC = struct.pack("<II", 0x4C4D5641, 2)
PAGE = 4096
MAX_BLOCKS = 1 << 20
MAX_SKIPPED = 16  # chunks without data in a row
MAX_CHUNK = 1 << 16  # bytes that one chunk of a snappy stream unpacks to, by its specification
_HEADER = struct.Struct("<8sQQ8x")
_SNAPPY, _PACKED, _PLAIN, _OPTIONAL = 0x04, 0x00, 0x01, 0x80
_KEPT_BLOCKS, _KEPT_CHUNKS = 256, 256  # chunks: 16 MiB


def probe(source: ByteSource) -> bool:
    """Tell whether a file is an AVML image of version 2; version 1 is LiME's."""
    return source.read_at(0, len(MAGIC)) == MAGIC


class _Stream:
    """The snappy stream of one block; where its chunks are is found as far as asked for."""

    def __init__(self, source: ByteSource, offset: int, end: int, length: int, cache: dict[int, bytes]) -> None:
        self._source, self._length, self._cache = source, length, cache
        self._ahead = _chunks(source, offset, end)
        self._starts, self._offsets = array("Q"), array("Q")  # of each chunk: of its bytes, and in the file
        self._known = 0  # bytes that the chunks found so far unpack to
        self._damage: ValueError | None = None

    def read(self, at: int, size: int) -> bytes:
        """Unpack up to size bytes at a place of the block; fewer where the stream is cut; ValueError where damaged."""
        parts = []
        while size > 0 and self._find(at):
            n = bisect_right(self._starts, at) - 1
            part = self._chunk(n)[at - self._starts[n] :][:size]
            if not part:
                break
            parts.append(part)
            at, size = at + len(part), size - len(part)
        return b"".join(parts)

    def _find(self, at: int) -> bool:
        """Go on through the chunks' headers until one covers a place; tell whether one does."""
        while self._known <= at:
            if self._damage:
                raise self._damage
            try:
                found = next(self._ahead, None)
            except ValueError as e:
                self._damage = e
                continue
            if found is None or self._known >= self._length:
                return False
            self._starts.append(self._known)
            self._offsets.append(found[0])
            self._known += found[1]
        return True

    def _chunk(self, n: int) -> bytes:
        offset = self._offsets[n]
        data = self._cache.get(offset)
        if data is None:
            head = self._source.read_at(offset, 8)
            size = int.from_bytes(head[1:4], "little") - 4
            raw = self._source.read_at(offset + 8, size)
            if len(raw) < size:
                return b""
            end = self._starts[n + 1] if n + 1 < len(self._starts) else self._known
            data = raw if head[0] == _PLAIN else by_flag(_SNAPPY)(raw, end - self._starts[n])
            if len(self._cache) >= _KEPT_CHUNKS:
                self._cache.clear()
            self._cache[offset] = data
        return data


def _chunks(source: ByteSource, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (offset, bytes unpacked, end) of a stream's chunks of data; ValueError where it is damaged."""
    skipped = 0
    while at < end and skipped < MAX_SKIPPED:
        head = source.read_at(at, 16)
        if len(head) < 4:
            return
        size = int.from_bytes(head[1:4], "little")
        unpacked = _unpacked_size(head[0], size, head[8:])
        skipped = 0 if unpacked else skipped + 1
        if unpacked:
            yield at, unpacked, at + 4 + size
        at += 4 + size


def _unpacked_size(kind: int, size: int, body: bytes) -> int:
    """Return how many bytes a chunk unpacks to; 0 for one without data; ValueError for one that cannot be."""
    if kind == _PLAIN:
        unpacked = size - 4
    elif kind == _PACKED:
        unpacked, shift = 0, 0
        for byte in body[:3]:  # the length, 7 bits a byte
            unpacked |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
    elif kind >= _OPTIONAL:
        return 0
    else:
        raise ValueError(f"no such chunk: {kind:#x}")
    if not 0 < unpacked <= MAX_CHUNK or size < 4:
        raise ValueError(f"a chunk of {unpacked} bytes")
    return unpacked


class AvmlDump:
    """An AVML image. Memory between blocks was no RAM, or all of it was zero bytes: the file does not say."""

    page_size = PAGE

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        blocks = _backwards(source)
        self._cut = blocks is None
        blocks = _forwards(source) if blocks is None else blocks
        self._blocks = Extents((start, end, at) for start, end, at, _stop in blocks)
        self._stops = {at: stop for _start, _end, at, stop in blocks}
        self._streams: dict[int, _Stream] = {}
        self._cache: dict[int, bytes] = {}  # chunks by their offset in the file

    def page(self, pfn: int) -> bytes:
        """Return one page; MissingPage says whether it was cut off, damaged or never there."""
        at = pfn * PAGE
        page, found = bytearray(PAGE), False
        for start, end, where in self._blocks.pieces(at, at + PAGE):
            n = self._blocks.find(start)
            base = self._blocks.starts[n]
            try:
                data = self._stream(n, where - (start - base)).read(start - base, end - start)
            except ValueError:
                raise MissingPage(at, "corrupt") from None
            if len(data) < end - start:
                raise MissingPage(at, "truncated")
            page[start - at : end - at] = data
            found = True
        if not found:
            raise MissingPage(at, "never-saved")
        return bytes(page)

    def _stream(self, n: int, at: int) -> _Stream:
        stream = self._streams.get(n)
        if stream is None:
            if len(self._streams) >= _KEPT_BLOCKS:
                self._streams.clear()
            stop = self._stops.get(at, self._source.size)
            length = self._blocks.ends[n] - self._blocks.starts[n]
            stream = _Stream(self._source, at, stop, length, self._cache)
            self._streams[n] = stream
        return stream

    def ranges(self) -> list[tuple[int, int]]:
        """Return the physical ranges of the blocks, in bytes."""
        return self._blocks.runs()

    def blocks(self) -> Iterator[tuple[int, bytes]]:
        """Yield (physical address, bytes) of the blocks, chunk by chunk, as far as each can be unpacked."""
        for n, (start, end, at) in enumerate(self._blocks):
            stream = self._stream(n, at)
            with suppress(ValueError):
                for address in range(start, end, MAX_CHUNK):
                    data = stream.read(address - start, min(MAX_CHUNK, end - address))
                    if not data:
                        break
                    yield address, data

    def notes(self) -> Iterator[Note]:
        """Yield nothing: the image has no notes."""
        return iter(())

    def cpus(self) -> list[CpuState]:
        """Return no CPUs: the image tells of none."""
        return []

    def facts(self) -> Facts:
        """Return what the headers say."""
        facts = Facts.of("avml", [self._source])
        facts.compression = "snappy"
        facts.pages_saved = facts.pages_total = self._blocks.total() // PAGE
        if self._cut:
            facts.lacks(f"{self._source.name} is cut off: its blocks do not end where the file does")
        return facts


Block = tuple[int, int, int, int]  # first address, the one after the last, offset of the stream, and of its end


def _header(source: ByteSource, at: int) -> tuple[int, int] | None:
    raw = source.read_at(at, _HEADER.size)
    if at < 0 or len(raw) < _HEADER.size:
        return None
    magic, start, last = _HEADER.unpack(raw)
    return (start, last + 1) if magic == MAGIC and start <= last < LIMIT - 1 else None


def _backwards(source: ByteSource) -> list[Block] | None:
    """Return the blocks in their order, by the lengths after them; None when one does not fit."""
    blocks: list[Block] = []
    end = source.size
    while end > 0:
        length = int.from_bytes(source.read_at(end - 8, 8), "little")
        at = end - 8 - length
        found = _header(source, at - _HEADER.size)
        if found is None or len(blocks) >= MAX_BLOCKS:
            return None
        blocks.append((*found, at, end - 8))
        end = at - _HEADER.size
    return blocks[::-1]


def _forwards(source: ByteSource) -> list[Block]:
    """Return the blocks of a file that is cut off, from the first on, chunk by chunk."""
    blocks: list[Block] = []
    at = 0
    while len(blocks) < MAX_BLOCKS and (found := _header(source, at)):
        start = at = at + _HEADER.size
        left = found[1] - found[0]
        with suppress(ValueError):
            for _offset, unpacked, stop in _chunks(source, start, source.size):
                left, at = left - unpacked, stop
                if left <= 0:
                    break
        blocks.append((*found, start, at))
        at += 8
    return blocks


def open(sources: Sequence[ByteSource]) -> AvmlDump:
    """Open an AVML image, which is one file."""
    if len(sources) != 1:
        raise FormatError(f"{sources[0].name}: an AVML image is one file, but {len(sources)} were given")
    return AvmlDump(sources[0])
