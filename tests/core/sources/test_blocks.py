"""Blocks of a compressed file: what is unpacked, what is kept, and indexes that lie."""

from typing import Any

import pytest

from oopscope.sources import blocks
from oopscope.sources.blocks import BlockSource, Index
from oopscope.sources.file import BytesSource


def source_of(
    count: int, size: int = 100, lies: set[int] | tuple[()] = (), index_size: int | None = None
) -> tuple[bytes, BlockSource, list[Any]]:
    """Blocks that are stored as they are, some of which do not hold what the index says."""
    data = b"".join(bytes([n]) * size for n in range(count))
    seen = []

    def unpack(raw: bytes, wanted: int) -> bytes:
        seen.append(raw[0])
        if raw[0] in lies:
            raise ValueError("nonsense")
        return raw

    index = Index(((n * size, size, index_size or size) for n in range(count)), unpack)
    return data, BlockSource(BytesSource(data, "packed"), index), seen


def test_each_block_is_unpacked_once_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "KEPT", 350)
    data, source, seen = source_of(10)
    assert source.read_at(150, 200) == data[150:350]
    assert source.read_at(199, 2) == data[199:201]
    assert seen == [1, 2, 3]
    assert source.read_at(0, 1) == data[:1]  # the third is the one that was used longest ago
    assert source.read_at(150, 100) == data[150:250]
    assert seen == [1, 2, 3, 0]
    assert source.read_at(0, 5000) == data
    assert source._held <= 350
    assert source.unpacked == 100 * len(seen)


def test_a_block_that_lies_reads_short_and_is_tried_once() -> None:
    data, source, seen = source_of(4, lies={2})
    assert source.read_at(0, 400) == data[:200]
    assert source.read_at(250, 10) == b""
    assert source.read_at(300, 10) == data[300:310]
    assert source.problem == "its compressed block at offset 0xc8 is damaged: nonsense"
    assert seen == [0, 1, 2, 3]
    _, source, _ = source_of(4, index_size=101)
    assert source.read_at(0, 1) == b""
    assert "it does not unpack to 101 bytes" in source.problem


@pytest.mark.parametrize("block", [(0, 0, 5), (0, 5, -1), (0, 5, 1 << 61)])
def test_an_index_that_cannot_be(block: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Index([block], bytes)


@pytest.mark.parametrize(
    "made, serves",
    [
        ([(0, 9, 9), (9, 9, 9)], True),
        ([(0, 9, 9), (9, 9, 0)], False),
        ([], False),
        ([(0, 9, 9), (9, 9, blocks.MOST + 1)], False),
        ([(0, 9, 9), (9, blocks.MOST + 1, 9)], False),
    ],
)
def test_one_block_or_large_ones_are_not_worth_it(made: Any, serves: bool) -> None:
    assert Index(made, bytes).serves is serves
