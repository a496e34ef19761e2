"""Files compressed once more: unpacked once, kept under a name of their own, and said to be cut off when they are."""

import bz2
import gzip
import lzma
import os
import struct
from pathlib import Path

import pytest
import zstandard
from cramjam import lz4

from oopscope.dumps import find_dumps, open_path
from oopscope.errors import FormatError, OopscopeError
from oopscope.sources import wrapped
from oopscope.sources.file import FileSource
from oopscope.sources.wrapped import unwrap, wrapping

DUMP = Path(__file__).parents[2] / "dumps" / "5.10-sysrq.kdump"


def as_lz4(data: bytes) -> bytes:
    """Make a frame of independent blocks of 64 KiB."""
    parts = [b"\x04\x22\x4d\x18\x60\x40\x82"]
    for at in range(0, len(data), 1 << 16):
        raw = data[at : at + (1 << 16)]
        block = bytes(lz4.compress_block(raw, store_size=False))
        stored = len(block) >= len(raw)
        parts += [struct.pack("<I", len(raw) | 1 << 31), raw] if stored else [struct.pack("<I", len(block)), block]
    return b"".join([*parts, bytes(4)])


PACKERS = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor(level=1).compress,
    "lz4": as_lz4,
}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"OOPSCOPE_CACHE": str(tmp_path / "cache")}


def quiet(_text: str) -> None:
    pass


def content(path: Path, environ: dict[str, str]) -> tuple[bytes, str | None]:
    source = FileSource(path)
    assert wrapping(source.read_at(0, 16))
    found = unwrap(source, environ, quiet)
    assert found.name == str(path)
    return found.read_at(0, found.size), found.problem


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("data", [b"x", bytes(3 << 20), os.urandom(300_000)], ids=["one byte", "zeros", "noise"])
def test_what_comes_out(kind: str, data: bytes, tmp_path: Path, environ: dict[str, str]) -> None:
    path = tmp_path / "packed"
    path.write_bytes(PACKERS[kind](data))
    assert wrapping(path.read_bytes()) == kind
    assert content(path, environ) == (data, None)
    path.write_bytes(PACKERS[kind](data) + PACKERS[kind](b"more"))  # members one after the other
    assert content(path, environ) == (data + b"more", None)
    assert content(path, {"OOPSCOPE_CACHE": "off"}) == (data + b"more", None)


@pytest.mark.parametrize("kind", PACKERS)
def test_cut_off(kind: str, tmp_path: Path, environ: dict[str, str]) -> None:
    """A stream that ends too soon gives what comes before, is said to be cut off, and is not kept."""
    data = os.urandom(400_000)
    packed = PACKERS[kind](data)
    path = tmp_path / "packed"
    for end in (len(packed) // 16 * n for n in range(1, 16)):
        path.write_bytes(packed[:end])
        found, problem = content(path, environ)
        assert data.startswith(found)
        assert problem and "cut off" in problem
    assert not any(p for p in (tmp_path / "cache" / "unpacked").iterdir())


@pytest.mark.parametrize("kind", PACKERS)
def test_damaged(kind: str, tmp_path: Path, environ: dict[str, str]) -> None:
    packed = bytearray(PACKERS[kind](os.urandom(200_000)))
    for at in range(10, len(packed), len(packed) // 40):
        packed[at] ^= 0x55
    path = tmp_path / "packed"
    path.write_bytes(packed)
    try:
        content(path, environ)
    except OopscopeError as e:
        assert str(path) in str(e)


def test_unpacked_once(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(b"data"))
    assert content(path, environ) == (b"data", None)
    monkeypatch.setattr(wrapped, "_unpack", None)
    assert content(path, environ) == (b"data", None)
    monkeypatch.undo()
    path.write_bytes(gzip.compress(b"other"))
    assert content(path, environ) == (b"other", None)
    for n in range(8):
        path.write_bytes(gzip.compress(b"%d" % n * n))
        content(path, environ)
    assert len(list((tmp_path / "cache" / "unpacked").iterdir())) == wrapped.MAX_KEPT


def test_no_room(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(bytes(1 << 20)))
    monkeypatch.setattr(wrapped, "RESERVE", 1 << 60)
    with pytest.raises(FormatError, match="no room"):
        content(path, environ)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_dump_in_it(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / f"vmcore.{kind}"
    path.write_bytes(PACKERS[kind](DUMP.read_bytes()))
    packed, plain = open_path(path), open_path(DUMP)
    assert packed.facts() == plain.facts()
    assert packed.ranges() == plain.ranges()
    (tmp_path / "notes.gz").write_bytes(gzip.compress(b"some text\n" * 99))
    assert list(find_dumps(tmp_path, 0)) == [path]
