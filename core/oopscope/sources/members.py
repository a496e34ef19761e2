"""Compressed streams one after the other in one file, as gzip, xz and bzip2 allow: unpacked piece by piece."""

from collections.abc import Callable, Iterator
from typing import Protocol

from oopscope.sources import ByteSource

LONGEST = 6  # bytes of what a stream begins with
CHUNK = 1 << 20  # bytes read at once
MAX_PIECE = 16 << 20  # bytes that one step may unpack to
MEMORY = 256 << 20  # bytes that a decompressor may take: what every level of xz and zstd needs, and more


class Stream(Protocol):
    """A decompressor of one stream, as bz2 and lzma have it."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        ...

    @property
    def unused_data(self) -> bytes:
        """What was given beyond the stream's end."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes of what was given."""
        ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Take more of the stream and return what it unpacks to, up to a limit."""
        ...


def members(source: ByteSource, magic: bytes | tuple[bytes, ...], make: Callable[[], Stream]) -> Iterator[bytes]:
    """Yield what the streams hold; EOFError for one that is cut off. Zeros between them and what follows is padding."""
    at, left, stream = 0, b"", make()
    while True:
        if stream.eof:
            left = stream.unused_data.lstrip(b"\0")
            if len(left) < LONGEST:
                left, at = (left + source.read_at(at, CHUNK)).lstrip(b"\0"), at + CHUNK
            if not left.startswith(magic):
                return
            stream = make()
        elif not left and stream.needs_input:
            left, at = source.read_at(at, CHUNK), at + CHUNK
            if not left:
                raise EOFError
        piece = stream.decompress(left, MAX_PIECE)
        left = b""
        if piece:
            yield piece
