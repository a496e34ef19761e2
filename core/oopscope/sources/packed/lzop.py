"""lzop's files: a header, then blocks of LZO1X that say what they unpack to, and are read one by one for that.

Follows conf.h, lzop.c and p_lzo.c of lzop 1.04. All numbers are big-endian. A block that would not shrink is stored.
The checksums of what blocks unpack to are compared, those of the packed bytes are not.
"""

import struct
import zlib
from collections.abc import Iterator
from functools import partial

from oopscope.sources import ByteSource
from oopscope.sources.blocks import Index

MAGIC = b"\x89LZO\x00\r\n\x1a\n"
MOST = 1 << 20  # bytes of a block; lzop writes 256 KiB
_ADLER, _ADLER_PACKED, _CRC, _CRC_PACKED = 0x1, 0x2, 0x100, 0x200
_EXTRA, _FILTER, _HEADER_CRC = 0x40, 0x800, 0x1000
_HEADER = struct.Struct(">HHHBBI")  # version, of the library, needed; method, level; flags
_OLDEST = 0x0940  # of the version that wrote such a header, in 1997
_LZO1X = (1, 2, 3)
_NAME = len(MAGIC) + _HEADER.size + 12  # where its length is, behind mode and time
_HEAD = _NAME + 1 + 255 + 4


def pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a file holds, block by block."""
    for flags, place, size, unpacked in _blocks(source):
        yield _unpack(flags, source.read_at(place, size), unpacked)


def index(source: ByteSource, walk: bool) -> Index | None:
    """Return the blocks of a file; None for one that is not whole, or whose parts differ in their checksums."""
    if not walk:
        return None
    try:
        flags = _header(source, 0)[0]
        return Index(((place, size, unpacked) for _, place, size, unpacked in _alike(source)), partial(_unpack, flags))
    except (ValueError, EOFError):
        return None


def _alike(source: ByteSource) -> Iterator[tuple[int, int, int, int]]:
    first = _header(source, 0)[0]
    for block in _blocks(source):
        if (block[0] ^ first) & (_ADLER | _CRC | _ADLER_PACKED | _CRC_PACKED):
            raise ValueError("parts of two kinds")
        yield block


def _blocks(source: ByteSource) -> Iterator[tuple[int, int, int, int]]:
    """Yield (flags of its part, place, size, unpacked size) of the blocks; EOFError at a cut."""
    at = 0
    while at < source.size and (at == 0 or source.read_at(at, len(MAGIC)).strip(b"\0")):
        flags, at = _header(source, at)
        while unpacked := _number(source, at):
            size = _number(source, at + 4)
            if size > unpacked or unpacked > MOST:
                raise ValueError(f"a block of {unpacked} bytes")
            whole = _before_data(flags, size < unpacked) + size
            if at + whole > source.size:
                raise EOFError
            yield flags, at, whole, unpacked
            at += whole
        at += 4


def _number(source: ByteSource, at: int) -> int:
    raw = source.read_at(at, 4)
    if len(raw) < 4:
        raise EOFError
    return int.from_bytes(raw, "big")


def _header(source: ByteSource, at: int) -> tuple[int, int]:
    """Return (flags, place of the first block) of a part's header."""
    head = source.read_at(at, _HEAD)
    end = _NAME + 1 + (head[_NAME] if len(head) > _NAME else 0)
    if len(head) < end + 4:
        raise EOFError
    version, _library, _needed, method, _level, flags = _HEADER.unpack_from(head, len(MAGIC))
    check = zlib.crc32 if flags & _HEADER_CRC else zlib.adler32
    if not head.startswith(MAGIC) or check(head[len(MAGIC) : end]) != int.from_bytes(head[end : end + 4], "big"):
        raise ValueError("its header is damaged")
    if version < _OLDEST or method not in _LZO1X or flags & (_EXTRA | _FILTER):
        raise ValueError(f"written by another kind of lzop (version {version:#x}, method {method}, flags {flags:#x})")
    return flags, at + end + 4


def _before_data(flags: int, packed: bool) -> int:
    """Return how many bytes of a block come before its data: two sizes and the checksums."""
    return 8 + 4 * (flags & (_ADLER | _CRC) | (flags & (_ADLER_PACKED | _CRC_PACKED) if packed else 0)).bit_count()


def _unpack(flags: int, raw: bytes, size: int) -> bytes:
    """Unpack a block; the library has no cap on its output, but no input makes more than 255 times its size."""
    from lzallright import LZOCompressor

    packed = int.from_bytes(raw[4:8], "big") < size
    at = _before_data(flags, packed)
    data = raw[at:]
    if packed:
        try:
            data = bytes(LZOCompressor.decompress(data, output_size_hint=size))
        except Exception as e:  # the library has one exception per fault and no common base
            raise ValueError(str(e)) from e
    at = 8
    for flag, check in ((_ADLER, zlib.adler32), (_CRC, zlib.crc32)):
        if flags & flag:
            if int.from_bytes(raw[at : at + 4], "big") != check(data):
                raise ValueError("its checksum differs")
            at += 4
    if len(data) != size:
        raise ValueError(f"it unpacks to {len(data)} bytes instead of {size}")
    return data
