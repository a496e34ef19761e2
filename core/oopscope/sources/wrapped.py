"""A file that was compressed once more, read as what it holds: block by block, or unpacked once into the cache.

Where the file says where its blocks lie, those that are looked at are unpacked in memory. Any other file can only be
read from its start on, so the whole of it is unpacked, with progress and within the free disk, and kept under a name
made of what tells the packed file from others. Until it is whole it has no name, so that nothing stays behind when
that is broken off. A stream that is damaged or cut off gives what comes before that, and says so. It knows no dumps.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from time import monotonic
from typing import IO

from oopscope.cache_place import cache_directory, is_ours
from oopscope.errors import FormatError
from oopscope.sources import ByteSource
from oopscope.sources.blocks import BlockSource
from oopscope.sources.file import BytesSource, FileSource
from oopscope.sources.members import CHUNK, MAX_PIECE
from oopscope.sources.packed import HEAD, format_of, packing

RESERVE = 512 << 20  # bytes of disk left free
MAX_KEPT = 4  # unpacked files; the oldest of more are removed
MAX_RATIO, MAX_ANYWAY = 1000, 64 << 20  # a file may unpack to so many times its size, and to so much whatever its size
MAX_FETCHED = 8 << 30  # bytes of a file on another machine that are fetched for this
SAY_EVERY = 0.1  # seconds
BAR = 20  # columns
_ZEROS = bytes(CHUNK)
Say = Callable[[str], None]


def wrapping(head: bytes) -> str | None:
    """Return what a file is compressed with, by its first bytes; None for none of the known formats."""
    return packing(head)


def beginning(source: ByteSource, size: int = CHUNK) -> ByteSource:
    """Return the first bytes of what a compressed file holds, none where it is damaged; any other file as it is."""
    if packing(source.read_at(0, HEAD)) is None:
        return source
    found = b""
    try:
        for piece in format_of(source).pieces(source):
            found += piece
            if len(found) >= size:
                break
    except (ValueError, OSError, EOFError):
        pass
    return BytesSource(found[:size], source.name)


def unwrap(source: ByteSource, environ: Mapping[str, str], say: Say) -> ByteSource:
    """Return what a compressed file holds as a source, and any other file as it is.

    FormatError where there is no room for it, or where it is beyond all bounds.
    """
    if packing(source.read_at(0, HEAD)) is None:
        return source
    module, remote = format_of(source), getattr(source, "fetched", None) is not None
    index = module.index(source, not remote) if hasattr(module, "index") else None
    if index and index.serves:
        return BlockSource(source, index)
    if remote and source.size > MAX_FETCHED:
        why = "it has to be fetched whole, which is not done for so large a file: copy it to this machine first"
        raise FormatError(f"{source.name}: {why}")
    folder, key = cache_directory(environ), _key(source)
    kept = folder / "unpacked" / key if folder and key else None
    if kept is not None and kept.is_file() and is_ours(kept) and is_ours(kept.parent):
        os.utime(kept)
        return _named(kept, source, None)
    import tempfile  # like shutil below, for a packed file alone

    place = folder / "unpacked" if folder else Path(tempfile.gettempdir())
    try:
        if folder:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if is_ours(place):
                _prune(place)
            else:
                kept = None  # nothing is kept where others may write
        with _nameless(place) as file:
            problem = _Unpacking(source, place, say).write(file)
            if kept and problem is None:
                _keep(file, kept)
            return _named(Path(f"/proc/self/fd/{file.fileno()}"), source, problem)
    except OSError as e:
        raise FormatError(f"{source.name}: cannot be unpacked in {place}: {e.strerror or e}") from None


def _named(path: Path, packed: ByteSource, problem: str | None) -> FileSource:
    """Return an unpacked file under the name of the packed one."""
    source = FileSource(path)
    source.packed_stamp = getattr(packed, "stamp", None)
    source.name, source.problem, source.fetched = packed.name, problem, getattr(packed, "fetched", None)
    return source


def _key(source: ByteSource) -> str | None:
    """Name an unpacked file by what tells its packed one from every other; None where that is not known."""
    stamp: str | None = getattr(source, "stamp", None)
    if stamp is None:
        return None
    return blake2b(f"{stamp}\0{source.size}".encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _nameless(place: Path) -> IO[bytes]:
    """Open a new file without a name, which vanishes with the process unless it is given one."""
    try:
        return os.fdopen(os.open(place, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600), "w+b")
    except OSError:  # not every file system can
        import tempfile

        return tempfile.TemporaryFile(dir=place)


def _keep(file: IO[bytes], path: Path) -> None:
    """Give a file a name; where its file system cannot, it is not kept."""
    file.flush()
    with suppress(OSError):
        # a folder is given, though the path needs none, since only then does Python follow the link
        os.link(f"/proc/self/fd/{file.fileno()}", path, src_dir_fd=file.fileno())


class _Unpacking:
    """One unpacking: watches the packed file as it is read, the bounds, and the room on the disk."""

    def __init__(self, source: ByteSource, place: Path, say: Say) -> None:
        self.name, self.size = source.name, source.size
        self._source, self._place, self._say = source, place, say
        self._read = self._written = 0
        self._most = max(MAX_ANYWAY, MAX_RATIO * self.size)
        self._said = 0.0

    @property
    def problem(self) -> str | None:
        """What is wrong with the packed file."""
        return self._source.problem

    def read_at(self, offset: int, size: int) -> bytes:
        """Read the packed file."""
        self._read = max(self._read, min(offset + size, self.size))
        return self._source.read_at(offset, size)

    def write(self, file: IO[bytes]) -> str | None:
        """Write what the file holds; return what is wrong with it, None for nothing. FormatError beyond the bounds."""
        module = format_of(self._source)
        stated = module.stated(self._source) if hasattr(module, "stated") else 0
        self._need(max(stated if stated <= self._most else 0, self.size))  # a number beyond that is a lie
        problem = None
        try:
            for piece in module.pieces(self):
                self._step(len(piece))
                for at in range(0, len(piece), CHUNK):
                    part = piece[at : at + CHUNK]
                    if part == _ZEROS[: len(part)]:
                        file.seek(len(part), os.SEEK_CUR)  # a hole
                    else:
                        file.write(part)
        except EOFError:
            problem = self.problem or "its compressed stream is cut off"
        except ValueError as e:
            problem = f"its compressed stream is damaged after {self._written >> 20} MiB: {e}"
        file.flush()
        file.truncate(self._written)
        return problem

    def _step(self, size: int) -> None:
        self._written += size
        if self._written > self._most:
            raise FormatError(f"{self.name}: unpacks to more than {MAX_RATIO} times its size: no dump does")
        if monotonic() - self._said >= SAY_EVERY:
            self._said = monotonic()
            done = self._read / max(self.size, 1)
            bar = "#" * int(BAR * done) + "-" * (BAR - int(BAR * done))
            self._say(f"unpacking {Path(self.name).name} [{bar}] {done:.0%}, {self._written >> 20} MiB")
            self._need(MAX_PIECE)

    def _need(self, size: int) -> None:
        import shutil

        free = shutil.disk_usage(self._place).free
        if free < RESERVE + size:
            need = f"{size + self._written + RESERVE >> 20} MiB or more must be free, and {free >> 20} MiB are"
            raise FormatError(
                f"{self.name}: no room to unpack it in {self._place}: {need}; OOPSCOPE_CACHE names another folder"
            )


def _prune(folder: Path) -> None:
    """Remove the files that were used least recently, if there are many."""
    files = sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=lambda p: p.stat().st_mtime)
    for old in files[: max(0, len(files) - MAX_KEPT + 1)]:
        old.unlink(missing_ok=True)
