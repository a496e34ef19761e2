"""Bytes of one source seen as another: its rest from an offset on, or other bytes put before a source."""

from oopscope.sources import ByteSource


class Rest:
    """What a source holds from an offset on."""

    def __init__(self, source: ByteSource, start: int) -> None:
        self.name, self._source, self._start = source.name, source, start
        self.size = max(0, source.size - start)

    @property
    def fetched(self) -> int | None:
        """How many bytes of the whole came from another machine; None for a file on this one."""
        return getattr(self._source, "fetched", None)

    @property
    def stamp(self) -> str | None:
        """What tells it from everything else; None where that is not known of the whole."""
        whole = getattr(self._source, "stamp", None)
        return whole and f"{whole}\0from {self._start}"

    @property
    def problem(self) -> str | None:
        """What is wrong with the whole."""
        return self._source.problem

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at an offset of the rest."""
        return self._source.read_at(self._start + offset, size) if offset >= 0 else b""


class Spliced:
    """Some bytes, and a source behind them."""

    def __init__(self, head: bytes, rest: ByteSource, name: str) -> None:
        self.name, self._head, self._rest = name, head, rest
        self.size = len(head) + rest.size

    @property
    def fetched(self) -> int | None:
        """How many bytes of the source came from another machine; None for a file on this one."""
        return getattr(self._rest, "fetched", None)

    @property
    def problem(self) -> str | None:
        """What is wrong with the source."""
        return self._rest.problem

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at offset."""
        if offset < 0 or size <= 0:
            return b""
        head = self._head[offset : offset + size]
        if len(head) == size:
            return head
        return head + self._rest.read_at(max(0, offset - len(self._head)), size - len(head))
