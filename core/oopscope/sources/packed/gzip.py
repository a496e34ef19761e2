"""gzip, after RFC 1952; and BGZF, which is gzip in small members that say their size (SAM specification, 4.1).

A plain gzip file can be read from its start on only. BGZF members have at most 64 KiB and their size in an extra field.
"""

import struct
import zlib
from collections.abc import Iterator

from oopscope.sources import ByteSource
from oopscope.sources.blocks import Index
from oopscope.sources.members import members

_BGZF = struct.Struct(
    "<4s4xBBH2sHH"
)  # magic, method and flags; time; level, system; size of the field, BC, 2, size - 1
MOST = 1 << 16  # bytes that a member unpacks to
_MAGIC = b"\x1f\x8b\x08\x04"


class _Zlib:
    """zlib's object in the manner of bz2's."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        try:
            return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        except zlib.error as e:
            raise ValueError(str(e)) from None


def pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a file holds."""
    return members(source, b"\x1f\x8b", _Zlib)


def stated(source: ByteSource) -> int:
    """Return the size that the last member states: that of the file, less a multiple of 4 GiB."""
    return int.from_bytes(source.read_at(max(0, source.size - 4), 4), "little")


def index(source: ByteSource, walk: bool) -> Index | None:
    """Return the members of a BGZF file; None for any other, or one that is not whole."""
    if not walk or _size(source.read_at(0, _BGZF.size)) is None:
        return None
    try:
        return Index(_members(source), _unpack)
    except ValueError:
        return None


def _size(head: bytes) -> int | None:
    """Return the size of the member that begins with these bytes; None if it does not say."""
    if len(head) < _BGZF.size:
        return None
    magic, _level, _system, field, name, length, size = _BGZF.unpack(head)
    return size + 1 if (magic, field, name, length) == (_MAGIC, 6, b"BC", 2) else None


def _members(source: ByteSource) -> Iterator[tuple[int, int, int]]:
    at, head = 0, source.read_at(0, _BGZF.size)
    while at < source.size:
        size = _size(head)
        tail = source.read_at(at + size - 4, 4 + _BGZF.size) if size and size > _BGZF.size else b""
        unpacked = int.from_bytes(tail[:4], "little")
        if size is None or len(tail) < 4 or unpacked > MOST:
            raise ValueError("no member of BGZF")
        yield at, size, unpacked
        at, head = at + size, tail[4:]


def _unpack(raw: bytes, size: int) -> bytes:
    stream = _Zlib()
    found = stream.decompress(raw, size + 1)
    if len(found) == size and not stream.eof:
        raise EOFError
    return found
