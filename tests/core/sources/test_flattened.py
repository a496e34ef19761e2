"""Flattened files: any order, rewritten, with gaps, cut off, hostile."""

import random
import struct

import pytest

from builders.flattened import END, HEADER, flatten, pack
from oopscope.errors import FormatError
from oopscope.sources import ByteSource
from oopscope.sources.file import BytesSource
from oopscope.sources.flattened import FlattenedSource, is_flattened

DATA = random.Random(1).randbytes(50_000)


class Counting:
    """A source that counts what is read from it."""

    def __init__(self, source: ByteSource) -> None:
        self.name, self.size, self.problem, self._source = source.name, source.size, source.problem, source
        self.reads = self.bytes = 0

    def read_at(self, offset: int, size: int) -> bytes:
        data = self._source.read_at(offset, size)
        self.reads += 1
        self.bytes += len(data)
        return data


@pytest.mark.parametrize("chunk", [7, 1000, 65536])
@pytest.mark.parametrize("seed", [None, 3])
def test_reads_what_was_written_last(chunk: int, seed: int | None) -> None:
    source = FlattenedSource(BytesSource(flatten(DATA, chunk, seed)))
    assert (source.size, source.problem) == (len(DATA), None)
    rng = random.Random(2)
    for _ in range(200):
        at, size = rng.randrange(len(DATA)), rng.randrange(5000)
        assert source.read_at(at, size) == DATA[at : at + size]
    assert source.read_at(len(DATA), 1) == b""
    assert source.read_at(-1, 1) == b""


def test_a_gap_of_a_whole_file_is_zero_bytes() -> None:
    source = FlattenedSource(BytesSource(pack([(0, b"abc"), (10, b"xyz")])))
    assert source.read_at(0, 100) == b"abc" + bytes(7) + b"xyz"
    assert source.read_at(4, 2) == bytes(2)


def test_a_gap_of_a_cut_file_ends_the_read() -> None:
    source = FlattenedSource(BytesSource(pack([(0, b"abc"), (10, b"xyz")], end=False)))
    assert "no end record" in source.problem
    assert source.read_at(0, 100) == b"abc"
    assert source.read_at(10, 3) == b"xyz"


def test_a_record_cut_short_keeps_its_beginning() -> None:
    raw = pack([(0, b"a" * 100), (100, b"b" * 100)], end=False)[:-40]
    source = FlattenedSource(BytesSource(raw))
    assert "within a record" in source.problem
    assert source.read_at(90, 100) == b"a" * 10 + b"b" * 60


@pytest.mark.parametrize("target, length", [(-5, 10), (10, -5), (1 << 62, 10), (-1, 0)])
def test_a_record_that_makes_no_sense_ends_the_file(target: int, length: int) -> None:
    raw = pack([(0, b"abc"), (3, b"def")], end=False) + struct.pack(">qq", target, length) + END
    source = FlattenedSource(BytesSource(raw))
    assert source.problem
    assert source.read_at(0, 9) == b"abc"  # of the record before, nobody can tell whether it is whole


def test_zero_bytes_over_records_are_passed_by() -> None:
    raw = bytearray(flatten(DATA, 1000))
    size = 16 + 1000
    start, end = len(HEADER) + 10 * size - 300, len(HEADER) + 14 * size + 123
    raw[start:end] = bytes(end - start)
    source = FlattenedSource(BytesSource(bytes(raw)))
    assert "zero bytes where records were" in source.problem
    assert source.size == len(DATA)
    assert source.read_at(0, 9000) == DATA[:9000]
    assert source.read_at(15_000, 35_000) == DATA[15_000:]
    assert source.read_at(12_000, 100) == b""


def test_a_table_whose_entries_look_like_records_is_none() -> None:
    """Entries of 4112 bytes, read as numbers of the other byte order, once led to the file's own beginning."""
    like = (struct.pack(">qq", 0x100, 0x1000) + bytes(0x1000)) * 8
    first, later = DATA[:9000] + like, DATA[:60_000]
    raw = bytearray(pack([(0, first), *((1 << 20 | at, later[at : at + 5000]) for at in range(0, 40_000, 5000))]))
    raw[len(HEADER) : len(HEADER) + 16] = bytes(16)  # where the first record ends is lost
    source = FlattenedSource(BytesSource(bytes(raw)))
    assert source.problem
    assert source.read_at(0x100, 100) == b""  # not what an entry of the table says
    assert source.read_at(1 << 20, 5000) == later[:5000]


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(FormatError, match="unknown version"):
        FlattenedSource(BytesSource(HEADER[:24] + struct.pack(">q", 2) + HEADER[32:] + END))


def test_opening_reads_the_headers_of_large_records_only() -> None:
    data = bytes(8 << 20)
    counted = Counting(BytesSource(flatten(data, 1 << 18)))
    FlattenedSource(counted)
    assert counted.bytes < 1 << 17


def test_opening_reads_many_small_records_at_once() -> None:
    counted = Counting(BytesSource(flatten(DATA, 24)))
    FlattenedSource(counted)
    assert counted.reads < 10


def test_signature() -> None:
    assert is_flattened(HEADER)
    assert not is_flattened(b"makedumpfile is a program")


class TestDamage:
    """Bytes that are missing, doubled or changed in the middle: where, and what is behind is read."""

    raw = flatten(DATA, 1000)
    at = len(HEADER) + 20 * 1016 + 500  # in the middle of the 21st record

    @pytest.mark.parametrize(
        "raw, said",
        [
            (raw[:at] + raw[at + 7 :], "7 bytes earlier"),
            (raw[:at] + raw[at - 9 : at] + raw[at:], "9 bytes later"),
            (raw[:at] + raw[at + 3000 :], "than it should be"),
        ],
        ids=("missing", "doubled", "three records"),
    )
    def test_records_are_found_again(self, raw: bytes, said: str) -> None:
        source = FlattenedSource(BytesSource(raw))
        assert said in source.problem and "misaligned behind" in source.problem
        assert source.read_at(0, 20_000) == DATA[:20_000]
        assert source.read_at(25_000, 25_000) == DATA[25_000:]
        assert source.read_at(20_000, 1000) == b""  # nobody can tell what of it is right

    def test_a_copy_in_text_mode_is_named(self) -> None:
        source = FlattenedSource(BytesSource(self.raw[: len(HEADER)] + self.raw[len(HEADER) :].replace(b"\n", b"\r\n")))
        assert "CR LF" in source.problem
        for at in range(0, len(DATA), 997):
            found = source.read_at(at, 500)
            assert DATA[at:].startswith(found)

    def test_zeros_in_the_place_of_records(self) -> None:
        raw = self.raw[: self.at] + bytes(9000) + self.raw[self.at + 9000 :]
        source = FlattenedSource(BytesSource(raw))
        assert source.problem
        assert source.read_at(40_000, 10_000) == DATA[40_000:]
