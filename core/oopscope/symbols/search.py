"""Looking for bytes in a kernel's image, parts of which the dump may lack."""

from collections.abc import Iterator, Sequence

from oopscope.errors import OopscopeError
from oopscope.symbols.blob import PAGE, Read

CHUNK = 1 << 20
IMAGE = 192 << 20  # no kernel's text and read-only data are longer
HOLE = 16 << 20  # nothing readable for so long: the image has ended


def read_lenient(read: Read, address: int, size: int) -> bytes | None:
    """Read with zeros for the pages that are missing; None where all are."""
    try:
        return read(address, size)
    except OopscopeError:
        end, parts, any_read = address + size, [], False
    while address < end:
        piece = min(PAGE - address % PAGE, end - address)
        try:
            parts.append(read(address, piece))
            any_read = True
        except OopscopeError:
            parts.append(bytes(piece))
        address += piece
    return b"".join(parts) if any_read else None


def occurrences(read: Read, pattern: bytes, start: int, end: int) -> Iterator[int]:
    """Yield the addresses where the pattern stands, up to `end` or to where nothing is readable any more."""
    for at, _pattern in occurrences_of(read, (pattern,), start, end):
        yield at


def occurrences_of(read: Read, patterns: Sequence[bytes], start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield (address, pattern) where one of some patterns of one length stands, in one pass, as `occurrences` does."""
    tail, unreadable = b"", 0
    for at in range(start, end, CHUNK):
        raw = read_lenient(read, at, CHUNK)
        unreadable = unreadable + CHUNK if raw is None else 0
        if unreadable > HOLE:
            return
        data = tail + (raw or bytes(CHUNK))
        for pattern in patterns:
            hit = data.find(pattern)
            while hit >= 0:
                yield at - len(tail) + hit, pattern
                hit = data.find(pattern, hit + 1)
        tail = data[len(data) - len(patterns[0]) + 1 :]
