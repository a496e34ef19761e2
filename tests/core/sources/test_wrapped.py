"""Files compressed once more: unpacked once, kept under a name of their own, and said to be cut off when they are."""

import bz2
import gzip
import lzma
import random
import shutil
import tempfile
import time
from pathlib import Path

import pytest
import zstandard

from builders import noise_page, packed
from builders.kdump import Kdump
from oopscope.dumps import find_dumps, open_path
from oopscope.errors import FormatError, OopscopeError
from oopscope.sources import wrapped
from oopscope.sources.blocks import BlockSource
from oopscope.sources.file import FileSource
from oopscope.sources.packed import PACKINGS
from oopscope.sources.wrapped import unwrap, wrapping

PACKERS = {
    "gzip": gzip.compress,
    "gzip bgzf": packed.bgzf,
    "xz": lzma.compress,
    "xz blocks": packed.xz_blocks,
    "xz streams": packed.xz_streams,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor(level=1).compress,
    "zstd frames": packed.zstd_frames,
    "zstd seekable": packed.zstd_seekable,
    "zstd pzstd": packed.pzstd,
    "lz4": packed.lz4_frame,
    "lz4 linked": lambda data: packed.lz4_frame(data, linked=True),
    "lz4 sized": lambda data: packed.lz4_frame(data, size=True),
    "lz4 legacy": packed.lz4_legacy,
    "lzop": packed.lzop,
    "lzop all sums": lambda data: packed.lzop(data, flags=0x1303),
    "lzop no sums": lambda data: packed.lzop(data, flags=0),
}
NOISE = random.Random(1).randbytes(1 << 20)
WORDS = b"".join(NOISE[n : n + 7 + n % 40] for n in random.Random(2).choices(range(3000), k=12_000))
FLIPS = 100
BY_BLOCKS = ("gzip bgzf", "xz blocks", "xz streams", "zstd frames", "zstd seekable", "lzop", "lzop all sums")


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


@pytest.mark.thorough
@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("data", [b"x", bytes(3 << 20), NOISE[:300_000], WORDS], ids=["x", "zeros", "noise", "words"])
def test_what_comes_out(kind: str, data: bytes, tmp_path: Path, environ: dict[str, str]) -> None:
    path = tmp_path / "packed"
    path.write_bytes(PACKERS[kind](data))
    assert wrapping(path.read_bytes()) == kind.partition(" ")[0]
    assert content(path, environ) == (data, None)
    path.write_bytes(PACKERS[kind](data) + PACKERS[kind](b"more"))  # members one after the other
    assert content(path, environ) == (data + b"more", None)
    assert content(path, {"OOPSCOPE_CACHE": "off"}) == (data + b"more", None)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", PACKERS)
def test_cut_off(kind: str, tmp_path: Path, environ: dict[str, str]) -> None:
    """A stream that ends too soon gives what comes before, is said to be cut off, and is not kept."""
    data = NOISE[:410_000]
    raw = PACKERS[kind](data)
    path = tmp_path / "packed"
    for end in (*range(16, 40), *(len(raw) // 16 * n for n in range(1, 16))):
        path.write_bytes(raw[:end])
        found, problem = content(path, environ)
        assert data.startswith(found)
        assert problem and "cut off" in problem
    assert not any(p for p in (tmp_path / "cache" / "unpacked").iterdir())


@pytest.mark.thorough
@pytest.mark.parametrize("kind", PACKERS)
def test_flipped_bits(kind: str, tmp_path: Path, environ: dict[str, str]) -> None:
    """Whatever is changed, it ends in bytes within the bounds, or in one line."""
    data, rng, path = NOISE[:60_000] + WORDS[:140_000], random.Random(kind), tmp_path / "packed"
    whole = PACKERS[kind](data)
    for n in range(FLIPS):
        raw = bytearray(whole)
        reach = rng.choice((24, 64, len(raw)))
        for _ in range(rng.choice((1, 1, 2, 8))):
            at = rng.randrange(reach)
            raw[at if n % 2 else at - reach] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        path.write_bytes(raw)
        source = FileSource(path)
        try:
            found = unwrap(source, environ, quiet)
            started = time.process_time()
            assert sum(len(found.read_at(at, 1 << 20)) for at in range(0, min(found.size, 1 << 24), 1 << 20)) <= 1 << 24
            assert time.process_time() - started < 10
        except OopscopeError as e:
            assert str(path) in str(e)


def test_unpacked_once(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    path, kept = tmp_path / "packed", tmp_path / "cache" / "unpacked"
    path.write_bytes(gzip.compress(b"data"))
    assert content(path, environ) == (b"data", None)
    monkeypatch.setattr(wrapped, "_nameless", None)
    assert content(path, environ) == (b"data", None)
    monkeypatch.undo()
    path.write_bytes(gzip.compress(b"other"))
    assert content(path, environ) == (b"other", None)
    for n in range(8):
        path.write_bytes(gzip.compress(b"%d" % n * n))
        content(path, environ)
    assert len(list(kept.iterdir())) == wrapped.MAX_KEPT


def test_a_folder_that_knows_no_nameless_files(
    tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrapped, "_nameless", lambda place: tempfile.TemporaryFile(dir=place))  # noqa: SIM115
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(b"data"))
    assert content(path, environ) == (b"data", None)
    assert not list((tmp_path / "cache" / "unpacked").iterdir())


@pytest.mark.parametrize("kind", BY_BLOCKS)
def test_blocks_are_read_where_they_are(kind: str, tmp_path: Path, environ: dict[str, str]) -> None:
    data = NOISE[:200_000] + bytes(200_000) + NOISE[:200_000]
    path = tmp_path / "packed"
    path.write_bytes(PACKERS[kind](data))
    found = unwrap(FileSource(path), environ, quiet)
    assert isinstance(found, BlockSource)
    assert found.size == len(data)
    assert [found.read_at(*at) for at in ((150_000, 9), (599_999, 9), (600_000, 1), (-1, 2))] == [
        data[150_000:150_009],
        data[-1:],
        b"",
        b"",
    ]
    assert 0 < found.unpacked < 200_000
    assert found.read_at(99_000, 300_000) == data[99_000:399_000]
    assert found.problem is None
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("kind", [kind for kind in BY_BLOCKS if "seekable" not in kind])  # it has no checksums here
def test_a_damaged_block_reads_short(kind: str, tmp_path: Path, environ: dict[str, str]) -> None:
    path, raw = tmp_path / "packed", bytearray(PACKERS[kind](NOISE[:600_000]))
    raw[len(raw) // 2 + 50 : len(raw) // 2 + 90] = bytes(40)
    path.write_bytes(raw)
    found = unwrap(FileSource(path), environ, quiet)
    assert found.problem is None
    assert found.read_at(0, 200_000) == NOISE[:200_000]
    assert len(found.read_at(0, 600_000)) < 400_000
    assert "its compressed block at offset 0x" in str(found.problem)
    assert found.read_at(500_000, 100_000) == NOISE[500_000:600_000]


def test_what_is_done_is_said(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapped, "SAY_EVERY", 0)
    path, said = tmp_path / "packed.gz", []  # type: ignore[var-annotated]
    path.write_bytes(gzip.compress(NOISE[:400_000] * 20, 1))
    unwrap(FileSource(path), environ, said.append)
    assert said[0].startswith("unpacking packed.gz [#")
    assert said[-1].endswith("] 100%, 7 MiB")


def test_no_room(tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file says of its size is looked at before anything is written."""
    path, said = tmp_path / "packed", []  # type: ignore[var-annotated]
    for kind in ("gzip", "xz", "zstd", "lz4 sized"):
        path.write_bytes(PACKERS[kind](bytes(1 << 20)))
        monkeypatch.setattr(wrapped, "RESERVE", shutil.disk_usage(tmp_path).free - (1 << 19))
        with pytest.raises(FormatError, match=r"no room to unpack it in .*: \d+ MiB or more must be free"):
            unwrap(FileSource(path), environ, said.append)
    assert not said
    assert not list((tmp_path / "cache" / "unpacked").iterdir())


@pytest.mark.parametrize("kind", ["gzip", "xz", "zstd", "bzip2", "lz4"])
def test_a_bomb_is_stopped(kind: str, tmp_path: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrapped, "MAX_ANYWAY", 1 << 20)
    monkeypatch.setattr(wrapped, "MAX_RATIO", 10)
    path = tmp_path / "packed"
    path.write_bytes(PACKERS[kind](bytes(12 << 20)))
    with pytest.raises(FormatError, match="unpacks to more than 10 times its size"):
        unwrap(FileSource(path), environ, quiet)
    assert not list((tmp_path / "cache" / "unpacked").iterdir())


def test_what_is_broken_off_leaves_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    """Until it is whole it has no name: so nothing stays behind even of a process that is killed."""
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(NOISE))

    def interrupt(_text: str) -> None:
        assert not list((tmp_path / "cache" / "unpacked").iterdir())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unwrap(FileSource(path), environ, interrupt)
    assert not list((tmp_path / "cache" / "unpacked").iterdir())


def test_every_format_has_its_line_and_its_fixture() -> None:
    folder = Path(wrapped.__file__).parent / "packed"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert files == {line.key for line in PACKINGS} == {kind.partition(" ")[0] for kind in PACKERS}


@pytest.mark.parametrize("kind", PACKERS)
def test_a_dump_in_it(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_CACHE", str(tmp_path / "cache"))
    path, small = tmp_path / f"vmcore.{kind}", tmp_path.with_suffix(".kdump")
    small.write_bytes(Kdump({n: noise_page(n) for n in range(100)}).build())
    path.write_bytes(PACKERS[kind](small.read_bytes()))
    found, plain = open_path(path), open_path(small)
    assert {**vars(found.facts()), "sources": ()} == {**vars(plain.facts()), "sources": ()}
    assert found.ranges() == plain.ranges()
    (tmp_path / "notes.gz").write_bytes(gzip.compress(b"some text\n" * 99))
    assert list(find_dumps(tmp_path, 0)) == [path]
