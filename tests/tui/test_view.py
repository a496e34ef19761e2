"""Filter, sort, search over lists that grow: the same rows as the plain way gives."""

import random
import re
from typing import Any

import pytest

from oopscope_tui.widgets.scan import Scan
from oopscope_tui.widgets.view import View


def drain(work: Any) -> None:
    while work(0.0):
        pass


def shown(view: Any) -> Any:
    return [view.row(at) for at in range(len(view))]


def test_without_filter_and_sort_there_is_no_index() -> None:
    view = View(list(range(10)))
    assert shown(view) == list(range(10))
    assert view.position(9) == 9
    assert view.position(10) is None
    assert not view.behind


def test_filter_in_slices_and_growth() -> None:
    rows = list(range(5000))
    view = View(rows)
    view.filter(lambda row: row % 7 == 0)
    assert view.behind
    drain(view.work)
    assert shown(view) == [row for row in rows if row % 7 == 0]
    rows.extend(range(5000, 6000))
    assert view.behind
    drain(view.work)
    assert shown(view) == [row for row in rows if row % 7 == 0]
    assert view.position(7) == 1
    assert view.position(8) is None
    assert view.row(view.nearest(8)) == 14


@pytest.mark.parametrize("descending", [False, True])
def test_sort_is_stable_and_none_comes_last(descending: bool) -> None:
    chance = random.Random(1)
    rows = [(chance.choice([None, 1, 2, 3]), at) for at in range(500)]
    view = View(rows)
    view.sort(lambda row: row[0], descending)
    drain(view.work)
    values = [row[0] for row in shown(view)]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=descending)
    assert values[len(known) :] == [None] * (500 - len(known))
    for value in (None, 1, 2, 3):
        places = [row[1] for row in shown(view) if row[0] == value]
        assert places == sorted(places)


def test_sort_of_mixed_kinds_does_not_raise() -> None:
    rows = ["b", 3, "A", None, 1.5, (1, 2), b"x"]
    view = View(rows)
    view.sort(lambda row: row)
    drain(view.work)
    assert sorted(map(str, shown(view))) == sorted(map(str, rows))


def test_sort_takes_in_growth() -> None:
    rows = [3, 1, 2]
    view = View(rows)
    view.sort(lambda row: row)
    drain(view.work)
    rows.append(0)
    drain(view.work)
    assert shown(view) == [0, 1, 2, 3]
    assert view.position(3) == 0


@pytest.mark.parametrize("origin", [0, 1, 500, 999, 1000, 5000])
def test_a_search_finds_every_row_from_wherever_it_starts(origin: int) -> None:
    rows = [f"row {at}" for at in range(1000)]
    wanted = [at for at in range(1000) if "7" in rows[at]]
    scan = Scan(re.compile("7"), 1000, origin, rows.__getitem__)
    drain(scan.work)
    assert scan.count == len(wanted)
    assert [scan.number(at) for at in wanted] == list(range(1, len(wanted) + 1))
    assert scan.number(0) is None
    assert scan.next(wanted[3], 1) == wanted[4]
    assert scan.next(wanted[3], -1) == wanted[2]
    assert scan.next(wanted[-1], 1) == wanted[0]
    assert scan.next(wanted[0], -1) == wanted[-1]
    assert scan.first_from(8) == 17
    assert scan.first_from(999) == wanted[0] if 999 not in wanted else True
    assert scan.words(wanted[2]) == f"3 of {len(wanted)}"


def test_a_search_takes_in_growth_and_counts_while_it_runs() -> None:
    rows = ["hit"] * 10_000
    scan = Scan(re.compile("hit"), 10_000, 5_000, rows.__getitem__)
    assert scan.words(0) == "searching"
    scan.work(0.0)
    assert scan.words(0).endswith("+ hits")
    rows.extend(["hit"] * 5)
    scan.grow(len(rows))
    drain(scan.work)
    assert scan.count == 10_005
    assert scan.number(10_004) == 10_005


def test_a_search_without_hits() -> None:
    scan = Scan(re.compile("x"), 3, 0, ["a", "b", "c"].__getitem__)
    drain(scan.work)
    assert scan.words(0) == "no match"
    assert scan.next(0, 1) is None
    assert scan.first_from(0) is None


def test_an_order_stays_in_view_until_the_next_is_made() -> None:
    rows = list(range(5000))
    view = View(rows)
    view.sort(lambda row: -row)
    drain(view.work)
    assert view.row(0) == 4999
    view.sort(lambda row: (row * 7919) % 5000)
    assert view.work(0.0)
    assert view.row(0) == 4999
    drain(view.work)
    assert [view.row(at) for at in range(3)] == sorted(rows, key=lambda row: (row * 7919) % 5000)[:3]
    view.filter(lambda row: row > 4990)
    assert view.behind
    assert len(view) == 5000
    drain(view.work)
    assert sorted(shown(view)) == list(range(4991, 5000))
    view.sort(None)
    assert shown(view) == list(range(4991, 5000))


def test_a_filter_that_nothing_passes_empties_a_sorted_view() -> None:
    view = View([3, 1, 2])
    view.sort(lambda row: row)
    drain(view.work)
    view.filter(lambda row: False)
    drain(view.work)
    assert shown(view) == []


def test_hits_within_a_range() -> None:
    rows = ["hit" if at in (3, 700) else "" for at in range(1000)]
    scan = Scan(re.compile("hit"), 1000, 500, rows.__getitem__)
    drain(scan.work)
    assert [scan.any_in(start, start + 100) for start in range(0, 1000, 100)] == [at in (0, 7) for at in range(10)]
    assert not scan.any_in(4, 700)
