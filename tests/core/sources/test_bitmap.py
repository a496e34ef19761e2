"""Bits in a file: against the plain way of counting them."""

import random
from typing import Any

import pytest

from oopscope.sources.bitmap import BLOCK, Bitmap
from oopscope.sources.file import BytesSource


def bits_of(raw: bytes) -> list[int]:
    return [byte >> n & 1 for byte in raw for n in range(8)]


def sample(seed: int) -> bytes:
    """Return some blocks: empty, full, noise, and a tail."""
    rng = random.Random(seed)
    return bytes(BLOCK) + b"\xff" * BLOCK + rng.randbytes(BLOCK) + bytes(2 * BLOCK) + rng.randbytes(300)


def plain_runs(bits: list[int]) -> Any:
    runs, start = [], None
    for n, bit in enumerate([*bits, 0]):
        if bit and start is None:
            start = n
        elif not bit and start is not None:
            runs.append((start, n))
            start = None
    return runs


def test_has_rank_find_against_the_plain_way() -> None:
    raw = sample(1)
    bits, bitmap = bits_of(raw), Bitmap(BytesSource(b"head" + raw), 4, len(raw), len(raw) * 8 - 3)
    before = [0]
    for bit in bits:
        before.append(before[-1] + bit)
    rng = random.Random(2)
    for n in [0, 1, 32767, 32768, 65536, bitmap.bits - 1, *(rng.randrange(bitmap.bits) for _ in range(3000))]:
        assert bitmap.has(n) == bits[n]
        assert bitmap.rank(n) == before[n]
        assert bitmap.find(n) == (before[n] if bits[n] else -1)
    assert bitmap.count() == sum(bits[: bitmap.bits])
    assert not bitmap.has(bitmap.bits)
    assert bitmap.find(-1) == bitmap.find(bitmap.bits) == -1


@pytest.mark.parametrize("raw", [sample(3), b"\xaa" * 99, b"\xff" * 10, b"", b"\x00\x80\x01\x00"])
def test_runs_against_the_plain_way(raw: bytes) -> None:
    for spare in (0, 3):
        bits = bits_of(raw)[: max(0, len(raw) * 8 - spare)]
        assert list(Bitmap(BytesSource(raw), 0, len(raw), len(bits)).runs()) == plain_runs(bits)


def test_runs_beyond_the_limit_are_one() -> None:
    assert list(Bitmap(BytesSource(b"\x55" * 100), 0, 100, 800).runs(limit=3)) == [(0, 1), (2, 3), (4, 5), (6, 800)]


def test_counting_does_not_stop_at_a_long_hole() -> None:
    raw = bytes(3 << 20) + b"\x01"
    bitmap = Bitmap(BytesSource(raw), 0, len(raw), len(raw) * 8)
    assert bitmap.rank(len(raw) * 8 - 1) == 1
    assert bitmap.find((3 << 20) * 8) == 0


def test_what_the_file_ends_before_is_not_known() -> None:
    bitmap = Bitmap(BytesSource(b"\xff" * 10), 0, 100, 800)
    assert bitmap.known(79)
    assert not bitmap.known(80)
    assert not bitmap.has(80)
    assert bitmap.count() == 80
    assert Bitmap(BytesSource(b""), 50, 100, 800).count() == 0


def test_more_blocks_than_are_kept() -> None:
    raw = b"\x01" * (1100 * BLOCK)
    bitmap = Bitmap(BytesSource(raw), 0, len(raw), len(raw) * 8)
    for n in (*range(0, 1100 * BLOCK * 8, BLOCK * 8), 8, 16):
        assert bitmap.find(n) == n // 8
