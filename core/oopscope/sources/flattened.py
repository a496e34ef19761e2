"""Flattened files: the records that makedumpfile -F and QEMU write where they cannot seek, read in place.

Follows makedumpfile's IMPLEMENTATION ("flattened format"): a 4096-byte header, then records of (target offset, size,
data), big-endian whatever the dump is, in any order, the later one winning; a record of (-1, -1) ends the file. What
is inside may be any dump. Opening reads the records' headers only; where records are small, many in one read.
"""

import struct
from collections.abc import Iterator

from oopscope.errors import FormatError
from oopscope.sources import ByteSource
from oopscope.sources.extents import Extents

SIGNATURE = b"makedumpfile\0\0\0\0"
HEADER = 4096
MAX_RECORDS = 1 << 22  # 256 GiB in the 64 KiB records that makedumpfile writes, 16 TiB in QEMU's
MAX_TARGET = 1 << 60
_RECORD = struct.Struct(">qq")
_SMALL, _AHEAD = 1 << 14, 1 << 16


class FlattenedSource:
    """The file that a flattened file stands for. What no record wrote is zero bytes, as in a sparse file.

    In a file without its end record, a place that no record wrote may have been lost with the rest: there, reads are
    short instead, and `problem` says so.
    """

    def __init__(self, source: ByteSource) -> None:
        head = source.read_at(0, 32)
        if len(head) < 32 or not is_flattened(head) or struct.unpack_from(">qq", head, 16) != (1, 1):
            raise FormatError(f"{source.name}: a flattened file of an unknown version")
        self.name = source.name
        self._cut: str | None = None
        self._source = source
        self._extents = Extents(self._records())
        self.size = self._extents.end

    @property
    def problem(self) -> str | None:
        """What is wrong with the records, or with the file that they are in."""
        return self._cut or self._source.problem

    @property
    def stored(self) -> int:
        """The size of the flattened file itself, in bytes."""
        return self._source.size

    @property
    def stamp(self) -> str | None:
        """What tells the flattened file from every other one; None where that is not known."""
        return getattr(self._source, "stamp", None)

    @property
    def fetched(self) -> int | None:
        """How many bytes came from another machine; None for a file on this one."""
        return getattr(self._source, "fetched", None)

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at an offset of the file inside; short where a damaged file lost them."""
        size = min(size, self.size - offset)
        if offset < 0 or size <= 0:
            return b""
        extents = self._extents
        n = extents.find(offset)
        if n >= 0 and offset + size <= extents.ends[n]:
            return self._source.read_at(extents.wheres[n] + offset - extents.starts[n], size)
        return self._gather(offset, offset + size)

    def _gather(self, at: int, end: int) -> bytes:
        parts: list[bytes] = []
        for start, stop, where in self._extents.pieces(at, end):
            if start > at:
                if self._cut:
                    return b"".join(parts)
                parts.append(bytes(start - at))
            data = self._source.read_at(where, stop - start)
            parts.append(data)
            if len(data) < stop - start:
                return b"".join(parts)
            at = stop
        if not self._cut:
            parts.append(bytes(end - at))
        return b"".join(parts)

    def _records(self) -> Iterator[tuple[int, int, int]]:
        """Yield (target, target's end, offset of the data) of every record up to the end record."""
        read, size = self._source.read_at, self._source.size
        at, ahead, buffer, base = HEADER, _AHEAD, b"", HEADER
        for _ in range(MAX_RECORDS):
            if not base <= at <= base + len(buffer) - _RECORD.size:
                base, buffer = at, read(at, ahead)
                if len(buffer) < _RECORD.size:
                    self._cut = "the flattened file is cut off: it has no end record"
                    return
            target, length = _RECORD.unpack_from(buffer, at - base)
            if target == length == -1:
                return
            if not (0 <= target <= MAX_TARGET and 0 <= length <= MAX_TARGET):
                self._cut = f"the flattened file is damaged: no record at offset {at:#x}"
                return
            at += _RECORD.size
            yield target, target + min(length, size - at), at
            at += length
            if at > size:
                self._cut = "the flattened file is cut off within a record"
                return
            ahead = _AHEAD if length < _SMALL else _RECORD.size
        raise FormatError(f"{self.name}: more than {MAX_RECORDS} flattened records; reassemble it: makedumpfile -R")


def is_flattened(head: bytes) -> bool:
    """Tell whether the first bytes are a flattened file's."""
    return head.startswith(SIGNATURE)
