"""lz4, after the lz4 frame format 1.6: frames of independent or linked blocks, and the legacy frames of `lz4 -l`.

Blocks may hold less than their most, and nothing says how much, so a file is read from its start on only. A linked
block refers to the 64 KiB before it. The decompressor knows single blocks, so they are put before it as literals.
The checksums, which are xxHash, are not compared: no library that is at hand computes them.
"""

import struct
from collections.abc import Generator, Iterator

from oopscope.sources import ByteSource

FRAME, LEGACY = 0x184D2204, 0x184C2102
_SKIP = 0x184D2A50
LEGACY_BLOCK = 8 << 20
HISTORY = 64 << 10


def pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a file holds, block by block."""
    at = 0
    while at < source.size:
        magic, size = struct.unpack("<II", source.read_at(at, 8).ljust(8, b"\0"))
        if magic == FRAME:
            at = yield from _frame(source, at)
        elif magic == LEGACY:
            at = yield from _legacy(source, at + 4)
        elif magic & 0xFFFFFFF0 == _SKIP:
            at += 8 + size
        elif at + 4 > source.size:
            raise EOFError
        else:
            raise ValueError("no frame where one should begin")


def stated(source: ByteSource) -> int:
    """Return the size that the first frame states, which most often is the only one."""
    head = source.read_at(0, 14)
    if len(head) < 14 or int.from_bytes(head[:4], "little") != FRAME or not head[4] & 8:
        return 0
    return int.from_bytes(head[6:14], "little")


def _frame(source: ByteSource, at: int) -> Generator[bytes, None, int]:
    """Yield the blocks of the frame at an offset, and return where it ends."""
    head = source.read_at(at, 7)
    if len(head) < 7:
        raise EOFError
    flags, most = head[4], 1 << 8 + 2 * (head[5] >> 4 & 7)
    if flags >> 6 != 1 or most < 1 << 16:
        raise ValueError("a frame of an unknown version")
    if flags & 1:
        raise ValueError("a frame that takes a dictionary")
    at += 7 + (8 if flags & 8 else 0)
    room, history = bytearray(HISTORY + most), b""
    while True:
        word = source.read_at(at, 4)
        if len(word) < 4:
            raise EOFError
        size = int.from_bytes(word, "little") & 0x7FFFFFFF
        at += 4
        if not size:
            break
        raw = _read(source, at, size, most)
        at += size + (4 if flags & 0x10 else 0)
        block = raw if word[3] & 0x80 else _unpack(raw, history, room)
        if not flags & 0x20:
            history = (history + block)[-HISTORY:]
        yield block
    at += 4 if flags & 4 else 0
    if at > source.size:
        raise EOFError
    return at


def _legacy(source: ByteSource, at: int) -> Generator[bytes, None, int]:
    """Yield the blocks of a legacy frame, and return where it ends: at another frame's magic, or with the file."""
    room = bytearray(HISTORY + LEGACY_BLOCK)
    while at < source.size:
        word = source.read_at(at, 4)
        if len(word) < 4:
            raise EOFError
        size = int.from_bytes(word, "little")
        if size in (FRAME, LEGACY) or size & 0xFFFFFFF0 == _SKIP:
            break
        yield _unpack(_read(source, at + 4, size, LEGACY_BLOCK + LEGACY_BLOCK // 255 + 16), b"", room)
        at += 4 + size
    return at


def _read(source: ByteSource, at: int, size: int, most: int) -> bytes:
    if not 0 < size <= most:
        raise ValueError("a block that is too large")
    raw = source.read_at(at, size)
    if len(raw) < size:
        raise EOFError
    return raw


def _unpack(raw: bytes, history: bytes, room: bytearray) -> bytes:
    """Unpack a block that goes on from some bytes; room is as large as they and the largest block."""
    from cramjam import DecompressionError, lz4

    limit = memoryview(room)[: len(history) + len(room) - HISTORY]
    try:
        end = lz4.decompress_block_into(_behind(raw, history), limit)
    except DecompressionError as e:
        raise ValueError(str(e)) from None
    return bytes(limit[len(history) : end])


def _behind(raw: bytes, history: bytes) -> bytes:
    """Return a block that unpacks to some bytes and what the given one does after them.

    A block's first sequence is a token, the length of its literals (15 in the token's high half, then bytes that add
    to it, up to one that is not 255), the literals, and a match. The bytes become the first of these literals.
    """
    if not history:
        return raw
    at, count = 1, raw[0] >> 4
    if count == 15:
        while at < len(raw) and raw[at] == 255:
            at += 1
        count = 15 + 255 * (at - 1) + (raw[at] if at < len(raw) else 0)
        at += 1
    more, rest = divmod(count + len(history) - 15, 255)
    return b"".join([bytes([0xF0 | raw[0] & 15]), b"\xff" * more, bytes([rest]), history, raw[at:]])
