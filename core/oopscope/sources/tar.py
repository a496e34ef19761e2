"""Tar archives that are not packed: the files in one, each read in place.

Follows tar(5): blocks of 512 bytes, a header and a file's bytes; sizes in octal, or in binary where the first bit is
set. Links, folders and extended headers are passed over.
"""

from collections.abc import Iterator

from oopscope.decode import decoded
from oopscope.sources import ByteSource

BLOCK = 512
MAGIC_AT, MAGIC = 257, b"ustar"
MAX_MEMBERS = 10_000
_FILES = (b"0", b"\0", b"7")  # regular, regular of old, contiguous


class Member:
    """A file in an archive, as a source; `name` is the archive's and its own."""

    def __init__(self, archive: ByteSource, name: str, start: int, size: int) -> None:
        self.name, self.size = f"{archive.name}:{name}", size
        self._archive, self._start = archive, start

    @property
    def problem(self) -> str | None:
        """What is wrong with the archive."""
        if self._start + self.size > self._archive.size:
            return "the archive is cut off within it"
        return self._archive.problem

    @property
    def fetched(self) -> int | None:
        """How many bytes of the archive came from another machine; None for a file on this one."""
        return getattr(self._archive, "fetched", None)

    @property
    def stamp(self) -> str | None:
        """What tells it from everything else; None where that is not known of the archive."""
        whole = getattr(self._archive, "stamp", None)
        return whole and f"{whole}\0{self._start}"

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at an offset of the file."""
        if offset < 0 or offset >= self.size:
            return b""
        return self._archive.read_at(self._start + offset, min(size, self.size - offset))


def is_tar(source: ByteSource) -> bool:
    """Tell whether a file is a tar archive, by its first header."""
    head = source.read_at(0, BLOCK)
    return len(head) == BLOCK and head[MAGIC_AT:].startswith(MAGIC)


def members(source: ByteSource) -> Iterator[Member]:
    """Yield the files in an archive, in their order; ends at the first header that makes no sense."""
    at = 0
    for _ in range(MAX_MEMBERS):
        head = source.read_at(at, BLOCK)
        if len(head) < BLOCK or not head[MAGIC_AT:].startswith(MAGIC):
            return
        size = _number(head[124:136])
        if size is None:
            return
        if head[156:157] in _FILES and size:
            name = (head[345:500].split(b"\0")[0] + b"/" + head[:100].split(b"\0")[0]).lstrip(b"/")
            yield Member(source, decoded(name), at + BLOCK, size)
        at += BLOCK + (size + BLOCK - 1) // BLOCK * BLOCK


def _number(field: bytes) -> int | None:
    """Return a size; None for what is no number."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return None
