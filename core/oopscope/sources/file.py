"""A file on this machine, read with pread: no shared position, and a shrinking file is a short read, not a SIGBUS."""

import errno
import os
from pathlib import Path


class FileSource:
    """One open file. A read that the system refuses is a short one, and `problem` says what it said."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.problem: str | None = None
        self.fetched: int | None = None  # bytes that came from another machine to make it; None for a local file
        self.packed_stamp: str | None = None  # of the packed file that this one was made of
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.lseek(self._fd, 0, os.SEEK_END)

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at offset; fewer at the end of the file, or where the system cannot read it."""
        if offset < 0 or size <= 0 or offset >= self.size:
            return b""
        wanted = min(size, self.size - offset)
        try:
            data = os.pread(self._fd, wanted, offset)
        except OSError as e:
            self.problem = f"{self.name} cannot be read at offset {offset:#x}: {e.strerror}"
            return b""
        if len(data) < wanted and os.fstat(self._fd).st_size < offset + wanted:
            self.problem = f"it became shorter while it was read: it had {self.size} bytes"
        return data

    @property
    def stamp(self) -> str | None:
        """What tells this file, as it is now, from every other one."""
        if self.packed_stamp is not None:
            return self.packed_stamp
        now = os.fstat(self._fd)
        times = f"{now.st_mtime_ns}\0{now.st_ctime_ns}\0{now.st_size}"
        return f"{Path(self.name).resolve()}\0{now.st_dev}\0{now.st_ino}\0{times}"

    def data_from(self, offset: int) -> int:
        """Return where, from an offset on, the file next has bytes of its own: before that it reads as zeros."""
        try:
            return os.lseek(self._fd, offset, os.SEEK_DATA)
        except OSError as e:
            return self.size if e.errno == errno.ENXIO else offset

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)


class BytesSource:
    """Bytes in memory, for headers already read and for tests."""

    def __init__(self, data: bytes, name: str = "bytes") -> None:
        self.name, self._data = name, data
        self.size = len(data)
        self.problem: str | None = None

    def read_at(self, offset: int, size: int) -> bytes:
        """Read up to size bytes at offset."""
        return self._data[offset : offset + size] if offset >= 0 and size > 0 else b""
