"""Where bytes come from: files on this machine, several files as one, bytes inside another file.

A source knows offsets and sizes; it knows nothing of dumps. Reads are stateless, so threads need no lock.
"""

from typing import Protocol


class ByteSource(Protocol):
    """Bytes by offset."""

    @property
    def name(self) -> str:
        """What to call it in a message, usually a path."""
        ...

    @property
    def size(self) -> int:
        """The number of bytes that it holds."""
        ...

    @property
    def problem(self) -> str | None:
        """What is wrong with it as far as was seen: cut off, or a read that failed; None while all is well."""
        ...

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes; fewer only where the source ends, none beyond it."""
        ...


def next_data(source: ByteSource, offset: int) -> int:
    """Return where, from an offset on, a source may next hold other bytes than zeros; a sparse file knows."""
    known = getattr(source, "data_from", None)
    return max(offset, known(offset)) if known else offset
