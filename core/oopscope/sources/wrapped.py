"""A file that was compressed once more (gzip, xz, zstd, bzip2, lz4): unpacked once, into the cache directory.

None of these can be read at any place without unpacking what comes before, so the whole is unpacked, with progress and
within the free disk, and kept under a name made of path, size and time of the packed file. Without a cache directory
it goes to an unlinked temporary file. A stream that is damaged or cut off gives what comes before that, and says so.
It follows RFC 1952 and 8878 and the lz4 frame format 1.6; it knows no dumps.
"""

import os
import struct
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import IO, Protocol

from oopscope.cache_place import cache_directory
from oopscope.errors import FormatError
from oopscope.sources import ByteSource
from oopscope.sources.file import FileSource

CHUNK = 1 << 20
MAX_PIECE = 16 << 20  # bytes that one step may unpack to
RESERVE = 512 << 20  # bytes of disk left free
MAX_KEPT = 4  # unpacked files; the oldest of more are removed
SAY_EVERY = 64 << 20
MAGICS = {
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\x04\x22\x4d\x18": "lz4",
}
Say = Callable[[str], None]


class _Stream(Protocol):
    """A decompressor of one member of a stream, as bz2 and lzma have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Zlib:
    """zlib's object in the manner of bz2's."""

    def __init__(self) -> None:
        import zlib

        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        import zlib

        try:
            return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        except zlib.error as e:
            raise ValueError(str(e)) from None


def wrapping(head: bytes) -> str | None:
    """Return what a file is compressed with, by its first bytes; None for none of these."""
    return next((name for magic, name in MAGICS.items() if head.startswith(magic)), None)


def unpacked_head(source: ByteSource, size: int = CHUNK) -> bytes:
    """Return the first bytes of what a compressed file holds; fewer, or none, where it is damaged."""
    found = b""
    try:
        for piece in _pieces(source):
            found += piece
            if len(found) >= size:
                break
    except (ValueError, OSError, EOFError):
        pass
    return found[:size]


def unwrap(source: ByteSource, environ: Mapping[str, str], say: Say) -> ByteSource:
    """Return what a compressed file holds as a source; FormatError where there is no room for it."""
    import tempfile

    packed = Path(source.name)
    folder = cache_directory(environ)
    kept = folder / "unpacked" / _key(packed, source.size) if folder else None
    if kept is not None and kept.is_file():
        os.utime(kept)
        return _named(FileSource(kept), source.name, None)
    place = kept.parent if kept else Path(tempfile.gettempdir())
    try:
        if kept:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            _prune(place)
        with tempfile.NamedTemporaryFile(dir=place, prefix=".new-") as file:
            problem = _unpack(source, file, place, say)
            file.flush()
            if kept and problem is None:
                os.link(file.name, kept)
            return _named(FileSource(Path(file.name)), source.name, problem)
    except OSError as e:
        raise FormatError(f"{source.name}: cannot be unpacked in {place}: {e.strerror or e}") from None


def _named(source: FileSource, name: str, problem: str | None) -> FileSource:
    source.name, source.problem = name, problem
    return source


def _key(path: Path, size: int) -> str:
    """Name an unpacked file by what tells its packed one from every other."""
    changed = path.stat().st_mtime_ns
    return blake2b(
        f"{path.resolve()}\0{size}\0{changed}".encode("utf-8", "surrogateescape"), digest_size=16
    ).hexdigest()


def _unpack(source: ByteSource, file: IO[bytes], place: Path, say: Say) -> str | None:
    """Write what a stream holds; return what is wrong with it, None for nothing. FormatError where the disk is full."""
    import shutil

    written = said = 0
    zeros = bytes(CHUNK)
    try:
        for piece in _pieces(source):
            if written - said >= SAY_EVERY or not written:
                said = written
                say(f"unpacking {Path(source.name).name}: {written >> 20} MiB")
                if shutil.disk_usage(place).free < RESERVE + SAY_EVERY + MAX_PIECE:
                    raise FormatError(f"{source.name}: no room to unpack it in {place}: {written >> 20} MiB and more")
            written += len(piece)
            if piece == zeros[: len(piece)]:
                file.seek(len(piece), os.SEEK_CUR)  # a hole
            else:
                file.write(piece)
        file.truncate(written)
    except EOFError:
        file.truncate(written)
        return "its compressed stream is cut off"
    except (ValueError, OSError) as e:
        if isinstance(e, OSError) and e.errno:
            raise
        file.truncate(written)
        return f"its compressed stream is damaged after {written >> 20} MiB: {e}"
    return None


def _pieces(source: ByteSource) -> Iterator[bytes]:
    """Yield what a compressed file holds, piece by piece; EOFError at a stream that ends too soon."""
    kind = wrapping(source.read_at(0, 16))
    if kind == "lz4":
        yield from _lz4(source)
    elif kind == "zstd":
        yield from _zstd(source)
    else:
        import bz2
        import lzma

        make: dict[str | None, Callable[[], _Stream]] = {
            "gzip": _Zlib,
            "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=1 << 30),
            "bzip2": bz2.BZ2Decompressor,
        }
        try:
            yield from _members(source, make[kind])
        except lzma.LZMAError as e:
            raise ValueError(str(e)) from None


def _members(source: ByteSource, make: Callable[[], _Stream]) -> Iterator[bytes]:
    """Unpack members one after the other, as all of these formats allow; what follows the last is padding."""
    at, left, stream = 0, b"", make()
    while True:
        if stream.eof:
            left = stream.unused_data.lstrip(b"\0")
            if not left:
                left, at = source.read_at(at, CHUNK).lstrip(b"\0"), at + CHUNK
            if not left or wrapping(left) is None:
                return
            stream = make()
        elif not left and stream.needs_input:
            left, at = source.read_at(at, CHUNK), at + CHUNK
            if not left:
                raise EOFError
        piece = stream.decompress(left, MAX_PIECE)
        left = b""
        if piece:
            yield piece


def _zstd(source: ByteSource) -> Iterator[bytes]:
    import zstandard

    class Reader:
        at = 0

        def read(self, size: int = -1) -> bytes:
            data = source.read_at(self.at, size if size >= 0 else CHUNK)
            self.at += len(data)
            return data

    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    try:
        with unpacker.stream_reader(Reader(), read_across_frames=True) as reader:  # type: ignore[arg-type]
            while piece := reader.read(CHUNK):
                yield piece
    except zstandard.ZstdError as e:
        raise ValueError(str(e)) from None
    if source.size and not _ends_a_frame(source):
        raise EOFError


def _ends_a_frame(source: ByteSource) -> bool:
    """Tell whether a zstd file's last frame is whole, by a walk over the headers of its blocks (RFC 8878, 3.1.1)."""
    at = 0
    while at < source.size:
        head = source.read_at(at, 18)
        if len(head) < 5:
            return False
        (magic,) = struct.unpack_from("<I", head)
        if magic & 0xFFFFFFF0 == 0x184D2A50:  # a frame to be skipped
            at += 8 + struct.unpack_from("<I", head, 4)[0]
            continue
        flags = head[4]
        single = flags >> 5 & 1
        at += 5 + (not single) + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        last = 0
        while not last:
            raw = source.read_at(at, 3)
            if len(raw) < 3:
                return False
            block = int.from_bytes(raw, "little")
            last, kind = block & 1, block >> 1 & 3
            at += 3 + (1 if kind == 1 else block >> 3)
        at += 4 * (flags >> 2 & 1)
    return at == source.size


def _lz4(source: ByteSource) -> Iterator[bytes]:
    """Unpack lz4 frames of independent blocks, which `lz4` makes unless told otherwise."""
    from cramjam import lz4

    at = 0
    while at < source.size:
        head = source.read_at(at, 20)
        if len(head) < 7 or head[:4] != b"\x04\x22\x4d\x18":
            raise ValueError("no frame where one should begin")
        flags, limit = head[4], 1 << 8 + 2 * (head[5] >> 4 & 7)
        if not flags & 0x20:
            raise ValueError("its blocks build on each other: unpack it with unlz4")
        room = bytearray(limit)
        at += 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
        while True:
            raw = source.read_at(at, 4)
            if len(raw) < 4:
                raise EOFError
            size = int.from_bytes(raw, "little")
            at += 4
            if not size:
                break
            stored, size = size >> 31, size & 0x7FFFFFFF
            data = source.read_at(at, size) if size <= limit else b""
            if len(data) < size:
                if size > limit:
                    raise ValueError("a block that is too large")
                raise EOFError
            at += size + (4 if flags & 0x10 else 0)
            try:
                yield data if stored else bytes(room[: lz4.decompress_block_into(data, room)])
            except Exception as e:  # noqa: BLE001 - cramjam's error is no fixed class over its releases
                raise ValueError(str(e)) from None
        at += 4 if flags & 4 else 0


def _prune(folder: Path) -> None:
    """Remove the files that were used least recently, if there are many."""
    files = sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=lambda p: p.stat().st_mtime)
    for old in files[: max(0, len(files) - MAX_KEPT + 1)]:
        old.unlink(missing_ok=True)
