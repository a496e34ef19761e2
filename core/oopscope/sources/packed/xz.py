"""xz, after the .xz file format 1.2: a file with several blocks (`xz -T0`, `--block-size`) is read block by block.

Its index is at the end, one for each stream. A block is unpacked behind the header of its stream, which says how it is
checked; the streams of a file that differ in that are not read by blocks.
"""

import lzma
import struct
import zlib
from collections.abc import Iterator
from functools import partial

from oopscope.sources import ByteSource
from oopscope.sources.blocks import Index
from oopscope.sources.members import MEMORY, members

MAGIC, END = b"\xfd7zXZ\0", b"YZ"
HEADER = 12  # of a stream, and its footer
MAX_INDEX = 16 << 20
MAX_STREAMS = 1 << 12
_BLANK = bytes(4)


def pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a file holds."""
    try:
        yield from members(source, MAGIC, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY))
    except lzma.LZMAError as e:
        raise ValueError(str(e)) from None


def stated(source: ByteSource) -> int:
    """Return the size that the indexes give."""
    found = index(source, False)
    return found.size if found else 0


def index(source: ByteSource, walk: bool) -> Index | None:
    """Return the blocks of all streams; None where a part of an index is damaged or cut off."""
    del walk
    blocks: list[tuple[int, int, int]] = []
    end, header = source.size, b""
    try:
        for _ in range(MAX_STREAMS):
            end, head, found = _stream(source, end)
            if header and head != header:
                return None
            blocks[:0], header = found, head
            if end == 0:
                return Index(blocks, partial(_unpack, header))
    except (ValueError, struct.error):
        pass
    return None


def _stream(source: ByteSource, end: int) -> tuple[int, bytes, list[tuple[int, int, int]]]:
    """Return (where it begins, its header, its blocks) of the stream that ends at an offset, or before padding."""
    footer = source.read_at(end - HEADER, HEADER)
    while footer[-4:] == _BLANK and end > HEADER:
        end -= 4
        footer = source.read_at(end - HEADER, HEADER)
    check, backward, flags = struct.unpack("<II2s", footer[:10])
    size = (backward + 1) * 4
    if footer[10:] != END or check != zlib.crc32(footer[4:10]) or size > MAX_INDEX:
        raise ValueError("no footer")
    at = end - HEADER - size
    raw = source.read_at(at, size)
    if len(raw) != size or zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        raise ValueError("no index")
    records = list(_records(raw))
    start = at - sum(packed for packed, _ in records) - HEADER
    header = source.read_at(start, HEADER)
    if header != MAGIC + flags + struct.pack("<I", zlib.crc32(flags)):
        raise ValueError("no header")
    blocks, at = [], start + HEADER
    for packed, unpacked in records:
        blocks.append((at, packed, unpacked))
        at += packed
    return start, header, blocks


def _records(raw: bytes) -> Iterator[tuple[int, int]]:
    """Yield (size in the file, unpacked size) of the blocks in an index."""
    count, at = _number(raw, 1)
    if raw[0] or count > len(raw):
        raise ValueError("no index")
    for _ in range(count):
        packed, at = _number(raw, at)
        unpacked, at = _number(raw, at)
        yield packed + 3 & ~3, unpacked


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """Return the number at a place of an index, seven bits a byte, and the place behind it."""
    value = 0
    for n, byte in enumerate(raw[at : at + 9]):
        value |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            return value, at + n + 1
    raise ValueError("no number")


def _unpack(header: bytes, raw: bytes, size: int) -> bytes:
    stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
    try:
        return stream.decompress(header + raw, size + 1)
    except lzma.LZMAError as e:
        raise ValueError(str(e)) from None
