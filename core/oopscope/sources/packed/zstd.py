"""zstd, after RFC 8878: files of several frames are read frame by frame where the frames' sizes are known.

They are in the seek table at the end of a file in the seekable format 0.1 of zstd's contrib, or in each frame's header.
pzstd writes neither: its frames say what they take in the file, not what they unpack to.
"""

import struct
from collections.abc import Iterator

from oopscope.sources import ByteSource
from oopscope.sources.blocks import Index
from oopscope.sources.members import MEMORY, members

WINDOW = MEMORY // 2  # bytes: the most of all levels, and `--long` as it is
_SKIP, _TABLE, _SEEKABLE = 0x184D2A50, 0x184D2A5E, 0x8F92EAB1
_UNKNOWN = -1
_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60)))
_FEED = 1 << 10  # bytes: 256 blocks of 128 KiB at the very most


def pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a file holds."""
    return members(source, _MAGICS, _Zstd)


class _Zstd:
    """A decompressor of one frame in the manner of bz2's: it takes little at once, since nothing bounds what comes."""

    def __init__(self) -> None:
        import zstandard

        self._inner = zstandard.ZstdDecompressor(max_window_size=WINDOW).decompressobj()
        self._error = zstandard.ZstdError
        self._data, self._at = b"", 0

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data + self._data[self._at :]

    @property
    def needs_input(self) -> bool:
        return self._at >= len(self._data)

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        del max_length
        if data:
            self._data, self._at = self._data[self._at :] + data, 0
        piece, self._at = self._data[self._at : self._at + _FEED], self._at + _FEED
        try:
            return self._inner.decompress(piece)
        except self._error as e:
            raise ValueError(str(e)) from None


def stated(source: ByteSource) -> int:
    """Return the size that the first frame states, which most often is the only one."""
    import zstandard

    try:
        return max(0, zstandard.frame_content_size(source.read_at(0, 18)))
    except zstandard.ZstdError:
        return 0


def index(source: ByteSource, walk: bool) -> Index | None:
    """Return the frames, by the seek table or by their headers; None where a size is not told or a frame not whole."""
    try:
        return Index(_table(source) or (_stating(source) if walk else ()), _unpack)
    except (ValueError, EOFError):
        return None


def _table(source: ByteSource) -> list[tuple[int, int, int]]:
    """Return (place, size, unpacked size) of the frames in the seek table; none where there is none."""
    tail = source.read_at(source.size - 9, 9)
    count, flags, magic = struct.unpack("<IBI", tail) if len(tail) == 9 else (0, 0, 0)
    entry = 12 if flags & 0x80 else 8
    size = 8 + count * entry + 9
    if magic != _SEEKABLE or flags & 0x7C or size > source.size:
        return []
    raw = source.read_at(source.size - size, size)
    if struct.unpack_from("<II", raw) != (_TABLE, size - 8):
        return []
    frames, at = [], 0
    for n in range(count):
        packed, unpacked = struct.unpack_from("<II", raw, 8 + n * entry)
        frames.append((at, packed, unpacked))
        at += packed
    if at != source.size - size:
        raise ValueError("a seek table of another file")
    return frames


def _stating(source: ByteSource) -> Iterator[tuple[int, int, int]]:
    for place, size, unpacked in _frames(source):
        if unpacked == _UNKNOWN:
            raise ValueError("a frame does not state its size")
        yield place, size, unpacked


def _frames(source: ByteSource) -> Iterator[tuple[int, int, int]]:
    """Yield (place, size, unpacked size) of all frames, by the headers of their blocks; EOFError at a cut."""
    at = 0
    while at < source.size:
        head, start, unpacked = source.read_at(at, 18), at, 0
        if len(head) < 8:
            raise EOFError
        magic, size = struct.unpack_from("<II", head)
        if magic & 0xFFFFFFF0 == _SKIP:
            at += 8 + size
        else:
            at, unpacked = _frame(source, at, head)
        if at > source.size:
            raise EOFError
        yield start, at - start, unpacked


def _frame(source: ByteSource, at: int, head: bytes) -> tuple[int, int]:
    """Return (where it ends, unpacked size) of a frame."""
    flags = head[4]
    single, dictionary, content = flags >> 5 & 1, (0, 1, 2, 4)[flags & 3], (flags >> 5 & 1, 2, 4, 8)[flags >> 6]
    begin = 5 + (not single) + dictionary
    unpacked = int.from_bytes(head[begin : begin + content], "little") + (256 if content == 2 else 0)
    at += begin + content
    last = 0
    while not last:
        raw = source.read_at(at, 3)
        if len(raw) < 3:
            raise EOFError
        block = int.from_bytes(raw, "little")
        last, kind = block & 1, block >> 1 & 3
        at += 3 + (1 if kind == 1 else block >> 3)
    return at + 4 * (flags >> 2 & 1), unpacked if content else _UNKNOWN


def _unpack(raw: bytes, size: int) -> bytes:
    import zstandard

    try:
        if zstandard.frame_content_size(raw) not in (size, _UNKNOWN):
            raise ValueError("the frame states another size")
        return zstandard.ZstdDecompressor(max_window_size=WINDOW).decompress(raw, max_output_size=size)
    except zstandard.ZstdError as e:
        raise ValueError(str(e)) from None
