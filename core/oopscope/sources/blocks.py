"""Compressed files that consist of blocks, each to be unpacked by itself: only those that are looked at are.

A format's index says where each block lies and how much it unpacks to; this file knows no format. Unpacked blocks are
kept within a bound. A block that does not hold what its index says reads short, and `problem` says so.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from threading import Lock

from oopscope.sources import ByteSource

MOST = 8 << 20  # bytes of one block, packed or not: larger ones are unpacked again and again, or take too much memory
KEPT = 64 << 20  # bytes of unpacked blocks
MAX_BLOCKS = 1 << 22
MAX_SIZE = 1 << 60

Unpack = Callable[[bytes, int], bytes]  # the bytes of a block and what they unpack to, in bytes; ValueError if not


class Index:
    """Where the blocks lie, in the packed file and in what it holds, and what unpacks one."""

    def __init__(self, blocks: Iterable[tuple[int, int, int]], unpack: Unpack) -> None:
        """Take (place, size, unpacked size) of every block in order; ValueError where that cannot be."""
        self.places, self.sizes, self.starts = array("q"), array("q"), array("q", [0])
        self.unpack = unpack
        end = largest = 0
        for place, size, unpacked in blocks:
            if size <= 0 or unpacked < 0 or end + unpacked > MAX_SIZE or len(self.places) == MAX_BLOCKS:
                raise ValueError("an index that cannot be")
            if unpacked:
                self.places.append(place)
                self.sizes.append(size)
                end += unpacked
                self.starts.append(end)
                largest = max(largest, size, unpacked)
        self.serves = len(self.places) > 1 and largest <= MOST  # for reading in place

    @property
    def size(self) -> int:
        """How many bytes all blocks unpack to."""
        return self.starts[-1]


class BlockSource:
    """What a compressed file holds, unpacked block by block as it is read."""

    def __init__(self, source: ByteSource, index: Index) -> None:
        self.name, self.size = source.name, index.size
        self.unpacked = 0  # bytes, so far
        self._source, self._index = source, index
        self._damage: str | None = None
        self._blocks: dict[int, bytes] = {}  # the one used last at the end; an empty one is damaged
        self._held = 0
        self._lock = Lock()

    @property
    def problem(self) -> str | None:
        """What is wrong with a block that was read, or with the packed file."""
        return self._damage or self._source.problem

    @property
    def fetched(self) -> int | None:
        """How many bytes came from another machine; None for a file on this one."""
        return getattr(self._source, "fetched", None)

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at offset; fewer at the end, or before a block that is damaged."""
        size = min(size, self.size - offset)
        if offset < 0 or size <= 0:
            return b""
        starts, parts, at, end = self._index.starts, [], offset, offset + size
        n = bisect_right(starts, offset) - 1
        while at < end:
            with self._lock:
                block = self._block(n)
            parts.append(block[at - starts[n] : end - starts[n]])
            if not block:
                break
            n += 1
            at = starts[n]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _block(self, n: int) -> bytes:
        found = self._blocks.pop(n, None)
        if found is None:
            found = self._unpack(n)
            self._held += len(found)
            while self._held > KEPT:
                self._held -= len(self._blocks.pop(next(iter(self._blocks))))
        self._blocks[n] = found
        return found

    def _unpack(self, n: int) -> bytes:
        index = self._index
        place, size, wanted = index.places[n], index.sizes[n], index.starts[n + 1] - index.starts[n]
        try:
            block = index.unpack(self._source.read_at(place, size), wanted)
            why = "" if len(block) == wanted else f"it does not unpack to {wanted} bytes"
        except (ValueError, EOFError) as e:
            why = str(e) or "it ends too soon"
        if why:
            self._damage = f"its compressed block at offset {place:#x} is damaged: {why}"
            return b""
        self.unpacked += wanted
        return block
