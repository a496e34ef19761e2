"""One bit a page, somewhere in a file: is it set, how many are set below it, where are the runs.

Least significant bit first. Nothing is read until asked for: a bitmap of a 6 TiB machine has 192 MiB. It is read in
blocks; what a block's first bit ranks is counted once, upwards from the first block; within a block, in groups.
"""

import re
from array import array
from collections.abc import Iterator
from functools import cache
from threading import Lock

from oopscope.lazy_re import lazy_re
from oopscope.sources import ByteSource

BLOCK = 4096  # bytes: 32,768 bits
BLOCK_BITS = BLOCK * 8
_GROUP = 64  # bytes: 512 bits
_STRIDE = 1 << 20  # bytes read at once while counting
_KEPT = 1024  # blocks kept: 4 MiB, 128 GiB of 4 KiB pages
_NONE, _ALL, _NO_STRIDE = bytes(BLOCK), b"\xff" * BLOCK, bytes(_STRIDE)
_SET = lazy_re(rb"\xff+|[^\x00\xff]+", re.DOTALL)


class Bitmap:
    """`bits` bits in `size` bytes at an offset of a source; a bit that the source ends before is not known."""

    def __init__(self, source: ByteSource, offset: int, size: int, bits: int) -> None:
        self._source, self._offset = source, offset
        self.bits = min(bits, size * 8)
        self._held = max(0, min(self.bits, (source.size - offset) * 8))
        self._ranks = array("Q", [0])  # set bits before each block, as far as counted
        self._blocks: dict[int, bytes] = {}
        self._groups: dict[int, list[int]] = {}  # block -> set bits before each of its groups
        self._counting = Lock()

    def has(self, n: int) -> bool:
        """Tell whether bit n is set."""
        if not 0 <= n < self._held:
            return False
        raw, at = self._block(n // BLOCK_BITS), n >> 3 & BLOCK - 1
        return at < len(raw) and raw[at] >> (n & 7) & 1 == 1

    def known(self, n: int) -> bool:
        """Tell whether bit n is in the source at all."""
        return 0 <= n < self._held and (n >> 3 & BLOCK - 1) < len(self._block(n // BLOCK_BITS))

    def rank(self, n: int) -> int:
        """Count the set bits below n."""
        return self._rank(max(0, min(n, self._held)))

    def find(self, n: int) -> int:
        """Return the rank of bit n, or -1 when it is clear: both of the above in one, for the path of every page."""
        block, at = n >> 15, n >> 3 & BLOCK - 1
        raw = self._blocks.get(block)
        if raw is None or not 0 <= n < self._held or at >= len(raw):
            return self._rank(n) if self.has(n) else -1
        return self._rank(n) if raw[at] >> (n & 7) & 1 else -1

    def _rank(self, n: int) -> int:
        block, group = n >> 15, n >> 9 & 63
        groups = self._groups.get(block) or self._count_groups(block)
        raw = self._block(block)[group * _GROUP : (n >> 3 & BLOCK - 1) + 1]
        return groups[group] + (int.from_bytes(raw, "little") & (1 << (n & 511)) - 1).bit_count()

    def count(self) -> int:
        """Count all set bits; reads the whole bitmap, about 50 ms for a TiB of 4 KiB pages."""
        return self.rank(self._held)

    def runs(self, limit: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield the runs [first, end) of set bits, ascending; after `limit` of them, all the rest as one."""
        start = end = count = 0
        for first, last in self._touching():
            if first != end and end > start:
                yield start, end
                count += 1
                if limit is not None and count >= limit:
                    yield first, self._held
                    return
            if first != end or end == start:
                start = first
            end = last
        if end > start:
            yield start, end

    def _touching(self) -> Iterator[tuple[int, int]]:
        """Yield runs of set bits; one may go on where the last ended."""
        for base in range(0, (self._held + 7) // 8, _STRIDE):
            raw = self._source.read_at(self._offset + base, min(_STRIDE, (self._held + 7) // 8 - base))
            for at in range(0, len(raw), BLOCK):
                block = raw[at : at + BLOCK]
                if block != _NONE:
                    yield from self._in_block(block, (base + at) * 8)

    def _in_block(self, block: bytes, base: int) -> Iterator[tuple[int, int]]:
        for match in _SET.finditer(block):
            at, found = base + match.start() * 8, match[0]
            if found[0] == 0xFF:
                yield at, min(at + len(found) * 8, self._held)
                continue
            for n, byte in enumerate(found):
                for first, last in _runs_of(byte):
                    if at + n * 8 + first < self._held:
                        yield at + n * 8 + first, min(at + n * 8 + last, self._held)

    def _block(self, n: int) -> bytes:
        raw = self._blocks.get(n)
        if raw is None:
            raw = self._source.read_at(self._offset + n * BLOCK, min(BLOCK, (self._held + 7) // 8 - n * BLOCK))
            if len(self._blocks) >= _KEPT:
                self._blocks, self._groups = {}, {}
            self._blocks[n] = raw
        return raw

    def _count_groups(self, block: int) -> list[int]:
        rank = self._ranks[block] if block < len(self._ranks) else self._count_to(block)
        raw, groups = self._block(block), []
        for at in range(0, BLOCK, _GROUP):
            groups.append(rank)
            rank += int.from_bytes(raw[at : at + _GROUP], "little").bit_count()
        self._groups[block] = groups
        return groups

    def _count_to(self, block: int) -> int:
        """Count the blocks before one, from the last that was counted."""
        with self._counting:
            ranks = self._ranks
            while len(ranks) <= block:
                wanted = min(_STRIDE, (block + 1 - len(ranks)) * BLOCK)
                raw = self._source.read_at(self._offset + (len(ranks) - 1) * BLOCK, wanted)
                if raw == _NO_STRIDE:
                    ranks.extend([ranks[-1]] * (_STRIDE // BLOCK))
                    continue
                for at in range(0, wanted, BLOCK):
                    ranks.append(ranks[-1] + _count(raw[at : at + BLOCK]))
            return ranks[block]


def _count(raw: bytes) -> int:
    if raw == _NONE:
        return 0
    return BLOCK_BITS if raw == _ALL else int.from_bytes(raw, "little").bit_count()


@cache
def _runs_of(byte: int) -> list[tuple[int, int]]:
    """Return the runs of set bits in one byte."""
    runs, n = [], 0
    while byte >> n:
        first = n + (byte >> n & -(byte >> n)).bit_length() - 1
        n = first + ((~(byte >> first)) & -~(byte >> first)).bit_length() - 1
        runs.append((first, n))
    return runs
