"""Stretches: order, overlap, gaps."""

import random
from typing import Any

import pytest

from oopscope.sources.extents import NOWHERE, Extents


def painted(stretches: Any, size: int) -> Any:
    """Return, for each place, where its byte is: the plain way to know what Extents should say."""
    places = [None] * size
    for start, end, where in stretches:
        for at in range(start, end):
            places[at] = where if where == NOWHERE else where + at - start
    return places


def test_random_overlaps_show_the_last_written() -> None:
    rng = random.Random(7)
    for _ in range(300):
        stretches = []
        for _ in range(rng.randrange(1, 9)):
            start = rng.randrange(60)
            where = rng.choice([NOWHERE, rng.randrange(1000)])
            stretches.append((start, min(64, start + rng.randrange(20)), where))
        places = [None] * 64
        for start, end, where in Extents(stretches).pieces(0, 64):
            places[start:end] = [where if where == NOWHERE else where + n for n in range(end - start)]  # type: ignore[misc]
        assert places == painted(stretches, 64), stretches


def test_pieces_are_cut_to_what_is_asked() -> None:
    extents = Extents([(10, 20, 100), (30, 40, 200)])
    assert list(extents.pieces(15, 35)) == [(15, 20, 105), (30, 35, 200)]
    assert list(extents.pieces(20, 30)) == []
    assert list(extents.pieces(-5, 11)) == [(10, 11, 100)]
    assert list(extents.pieces(40, 99)) == []


def test_runs_join_what_touches_and_total_counts_what_is_stored() -> None:
    extents = Extents([(0, 4, 0), (4, 8, NOWHERE), (9, 10, 50)])
    assert extents.runs() == [(0, 8), (9, 10)]
    assert extents.total() == 5
    assert extents.end == 10


def test_a_stretch_goes_on_where_the_last_one_ended() -> None:
    assert len(Extents([(0, 4, 10), (2, 6, 12), (6, 8, 16)])) == 1


@pytest.mark.parametrize("bad", [(-1, 2, 0), (5, 4, 0), (0, 1 << 63, 0), (0, 1, -2), (0, 1, 1 << 63)])
def test_impossible_stretches_are_refused(bad: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="stretch"):
        Extents([bad])
