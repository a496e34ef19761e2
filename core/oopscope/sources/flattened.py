"""Flattened files: the records that makedumpfile -F and QEMU write where they cannot seek, read in place.

Follows makedumpfile's IMPLEMENTATION ("flattened format"): a 4096-byte header, then records of (target offset, size,
data), big-endian whatever the dump is, in any order, the later one winning; a record of (-1, -1) ends the file. What
is inside may be any dump. Opening reads the records' headers only; where records are small, many in one read.
"""

import re
import struct
from collections.abc import Iterator

from oopscope.errors import FormatError
from oopscope.lazy_re import lazy_re
from oopscope.sources import ByteSource
from oopscope.sources.extents import Extents
from oopscope.sources.identify import TEXT_MODE, in_text_mode

SIGNATURE = b"makedumpfile\0\0\0\0"
HEADER = 4096
MAX_RECORDS = 1 << 22  # 256 GiB in the 64 KiB records that makedumpfile writes, 16 TiB in QEMU's
MAX_TARGET = 1 << 60
_RECORD = struct.Struct(">qq")
ZEROS = (0, 0)  # no record: the first one has the dump's headers, and no later one is empty
_SMALL, _AHEAD = 1 << 14, 1 << 16
# Of a record that is looked for behind a damaged one: what its two numbers may be, how many must follow each other.
MAX_LIKELY, MAX_LENGTH, CHAIN = 1 << 50, 1 << 24, 6
_LIKE_A_RECORD = lazy_re(rb"(?=\0[\0-\3].{6}\0{4}[\0\1].{3}(?<!\0{4}))", re.S)
MAX_SEARCHED, MAX_SEARCHES, MAX_CANDIDATES = 64 << 20, 64, 1 << 16
_PIECE = 1 << 20


class FlattenedSource:
    """The file that a flattened file stands for. What no record wrote is zero bytes, as in a sparse file.

    In a file without its end record, or a damaged one, a place that no record wrote may have been lost with the rest:
    there, reads are short instead, and `problem` says so.
    """

    def __init__(self, source: ByteSource) -> None:
        head = source.read_at(0, 32)
        if len(head) < 32 or not is_flattened(head) or struct.unpack_from(">qq", head, 16) != (1, 1):
            raise FormatError(f"{source.name}: a flattened file of an unknown version")
        self.name = source.name
        self._cut: str | None = None
        self._source = source
        self._base, self._buffer, self._ahead = HEADER, b"", _AHEAD  # of the records' headers
        self._searches = 0
        self._ends_whole = True  # the last record before the end, or before a damage that nothing follows
        self._last: list[tuple[int, int, int]] = []  # the record that the file ends in
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
        """Yield (target, target's end, offset of the data) of every record up to the end record.

        Where bytes are missing or too many, what follows is read from where records are found again; the record before
        is left out, for nobody can tell where in it they are missing.
        """
        at, held, self._ahead = HEADER, None, _AHEAD
        for _ in range(MAX_RECORDS):
            header = self._header(at)
            if header == (-1, -1):
                break
            if header is None or header == ZEROS or at + _RECORD.size + header[1] > self._source.size:
                again = self._damaged(at, held[2] if held else HEADER, header)
                if again is None:
                    held = held if self._ends_whole else None
                    break
                at, held = again, None
                continue
            if held is not None:
                yield held
            target, length = header
            at += _RECORD.size
            held = target, target + length, at
            at += length
            self._ahead = _AHEAD if length < _SMALL else _RECORD.size
        else:
            raise FormatError(f"{self.name}: more than {MAX_RECORDS} flattened records; reassemble it: makedumpfile -R")
        if held is not None:
            yield held
        yield from self._last

    def _header(self, at: int) -> tuple[int, int] | None:
        """Return (target, length) of the record at an offset, (-1, -1) of the end record; None where there is none."""
        if not self._base <= at <= self._base + len(self._buffer) - _RECORD.size:
            self._base, self._buffer = at, self._source.read_at(at, self._ahead)
            if len(self._buffer) < _RECORD.size:
                return None
        target, length = _RECORD.unpack_from(self._buffer, at - self._base)
        if target == length == -1 or (0 <= target <= MAX_TARGET and 0 <= length <= MAX_TARGET):
            return target, length
        return None

    def _damaged(self, at: int, before: int, header: tuple[int, int] | None) -> int | None:
        """Say what is wrong where no whole record is, and return where the next one is; None where there is no other.

        before: where the bytes of the record before begin, among which some may be missing.
        """
        size = self._source.size
        if at + _RECORD.size > size and self._cut is None and at <= size:
            self._cut = "the flattened file is cut off: it has no end record"
            return None
        again = self._again(before, at) if self._searches < MAX_SEARCHES else None
        self._searches += 1
        if again is not None:
            self._says(before, _apart(before, at, again, header == ZEROS))
            return again
        if header is not None and header != ZEROS and header[1] <= MAX_TARGET:
            self._cut = self._cut or "the flattened file is cut off within a record"
            self._last = [(header[0], header[0] + max(0, size - at - _RECORD.size), at + _RECORD.size)]
        else:
            self._says(before, f"the flattened file is damaged: no record at offset {at:#x}")
            self._ends_whole = False
        return None

    def _says(self, at: int, text: str) -> None:
        """Keep what is wrong, the first of it, with its likely cause."""
        if self._cut is None:
            self._cut = text + (
                f". {TEXT_MODE}" if in_text_mode(self._source.read_at(max(0, at - _PIECE // 2), _PIECE)) else ""
            )

    def _again(self, start: int, expected: int) -> int | None:
        """Return where records follow each other again, from an offset on; None where they do not."""
        for base in range(start, min(self._source.size, expected + MAX_SEARCHED), _PIECE):
            data = self._source.read_at(base, _PIECE + _RECORD.size - 1)
            for n, match in enumerate(_LIKE_A_RECORD.finditer(data)):
                if n > MAX_CANDIDATES:
                    break
                if base + match.start() != expected and self._chained(base + match.start()):
                    return base + match.start()
        return None

    def _chained(self, at: int) -> bool:
        """Tell whether several records follow each other from an offset on, or some and the end of the file.

        Tables of equal entries can look like records that follow each other, with the same targets again and again:
        those of real ones lie apart, and the first begins where another one ends, or ends where it begins.
        """
        spans: list[tuple[int, int]] = []
        for _ in range(CHAIN):
            raw = self._source.read_at(at, _RECORD.size)
            if len(raw) < _RECORD.size:
                return at == self._source.size
            target, length = _RECORD.unpack(raw)
            if target == length == -1:
                return True
            if not (0 <= target < MAX_LIKELY and 0 < length <= MAX_LENGTH):
                return False
            if any(target < end and start < target + length for start, end in spans):
                return False
            spans.append((target, target + length))
            at += _RECORD.size + length
        first, *others = spans
        return any(first[0] == end or first[1] == start for start, end in others)


def _apart(before: int, expected: int, found: int, zeros: bool) -> str:
    """Say what is wrong where a record was expected at one offset, and the next one that is whole is at another."""
    if zeros:
        return f"the flattened file has zero bytes where records were, before {found:#x}: a copy of it went wrong"
    apart = f"{expected - found} bytes earlier" if found < expected else f"{found - expected} bytes later"
    return f"the flattened file is misaligned behind {before:#x}: what follows is {apart} than it should be"


def is_flattened(head: bytes) -> bool:
    """Tell whether the first bytes are a flattened file's."""
    return head.startswith(SIGNATURE)
