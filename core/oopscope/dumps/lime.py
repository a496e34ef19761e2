"""LiME images, as the kernel module and AVML without compression write them.

Follows LiME's README and AVML's image.rs: a 32-byte little-endian header (magic, version 1, first and last address of
a range, 8 bytes reserved), the range's bytes, and so on to the end of the file.
"""

import struct
from collections.abc import Iterator, Sequence

from oopscope.dumps import Facts, PlacedDump
from oopscope.errors import FormatError
from oopscope.sources import ByteSource
from oopscope.sources.extents import LIMIT

MAGIC = struct.pack("<II", 0x4C694D45, 1)
MAX_RANGES = 1 << 20
_HEADER = struct.Struct("<8sQQ8x")


def probe(source: ByteSource) -> bool:
    """Tell whether a file is a LiME image of version 1, the only one."""
    return source.read_at(0, len(MAGIC)) == MAGIC


class LimeDump(PlacedDump):
    """A LiME image; what lies between its ranges was no System RAM."""

    def __init__(self, source: ByteSource) -> None:
        self._cut: str | None = None
        super().__init__("lime", [source], source, self._ranges(source))

    def _ranges(self, source: ByteSource) -> Iterator[tuple[int, int, int]]:
        at = 0
        for _ in range(MAX_RANGES):
            if at >= source.size:
                return
            raw = source.read_at(at, _HEADER.size)
            if len(raw) < _HEADER.size:
                self._cut = "it ends within the header of a range"
                return
            magic, start, last = _HEADER.unpack(raw)
            if magic != MAGIC or not start <= last < LIMIT - 1:
                self._cut = f"there is no range at offset {at:#x}, where one should begin"
                return
            at += _HEADER.size
            yield start, last + 1, at
            at += last + 1 - start
        raise FormatError(f"{source.name}: more than {MAX_RANGES} ranges of memory")

    def facts(self) -> Facts:
        """Return what the headers say."""
        facts = super().facts()
        if self._cut:
            facts.lacks(f"{self._memory.name} is damaged: {self._cut}")
        return facts


def open(sources: Sequence[ByteSource]) -> LimeDump:
    """Open a LiME image, which is one file."""
    if len(sources) != 1:
        raise FormatError(f"{sources[0].name}: a LiME image is one file, but {len(sources)} were given")
    return LimeDump(sources[0])
