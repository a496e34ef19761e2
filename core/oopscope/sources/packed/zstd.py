"""zstd, after RFC 8878: files of several frames are read frame by frame where the frames' sizes are known.

They are in the seek table at the end of a file in the seekable format 0.1 of zstd's contrib, or in each frame's header.
pzstd writes neither: its frames say what they take in the file, not what they unpack to.
"""

import struct
from collections.abc import Iterator

from oopscope.sources import ByteSource
from oopscope.sources.blocks import Index
from oopscope.sources.members import CHUNK, MEMORY

WINDOW = MEMORY // 2  # bytes: the most of all levels, and `--long` as it is
_SKIP, _TABLE, _SEEKABLE = 0x184D2A50, 0x184D2A5E, 0x8F92EAB1
_UNKNOWN = -1


def pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a file holds."""
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    try:
        with unpacker.stream_reader(_Reader(source), read_across_frames=True) as reader:  # type: ignore[arg-type]
            while piece := reader.read(CHUNK):
                yield piece
    except zstandard.ZstdError as e:
        raise ValueError(str(e)) from None
    for _ in _frames(source):  # the library does not tell whether the last frame is whole
        pass


class _Reader:
    """A source as a file that is read from its start."""

    def __init__(self, source: ByteSource) -> None:
        self._source, self._at = source, 0

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        data = self._source.read_at(self._at, size if size >= 0 else CHUNK)
        self._at += len(data)
        return data


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
