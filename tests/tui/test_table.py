"""Columns that fit the screen."""

from types import SimpleNamespace

from oopscope_tui.look.text import ABSENT
from oopscope_tui.widgets.table import Table, col, fit_columns

COLUMNS = (
    col("a", "A", "int"),
    col("b", "B", least=10),
    col("c", "C", "bytes", rank=1),
    col("d", "D", rank=2, most=20),
    col("e", "E", "address", rank=3),
)
NATURAL = [5, 30, 6, 40, 18]


def test_they_never_overflow() -> None:
    for width in range(1, 200):
        fitted = fit_columns(COLUMNS, NATURAL, width)
        assert fitted, width
        assert sum(size for _, size in fitted) + 2 * (len(fitted) - 1) <= width
        assert all(size >= 1 for _, size in fitted), width


def test_the_highest_rank_goes_first_and_the_rest_is_squeezed() -> None:
    keys = [column.key for column, _ in fit_columns(COLUMNS, NATURAL, 50)]
    assert keys == ["a", "b", "c", "d"]
    assert [column.key for column, _ in fit_columns(COLUMNS, NATURAL, 20)] == ["a", "b"]


def test_room_that_is_left_goes_to_those_that_were_capped() -> None:
    sizes = {column.key: size for column, size in fit_columns(COLUMNS, NATURAL, 200)}
    assert sizes == {"a": 5, "b": 30, "c": 6, "d": 40, "e": 18}


def test_a_row_without_the_attribute_is_absent() -> None:
    assert COLUMNS[0].value(object()) is None
    assert COLUMNS[0].text(object()) == ABSENT


def test_what_is_long_for_the_screen_is_copied_in_full() -> None:
    table = Table("", [col("name", "Name"), col("more", "More", "list")])
    row = SimpleNamespace(name="x" * 10_000 + "\x1b", more=("a", "b"))
    assert len(table.words(row)) < 5000
    assert table.written(row) == "x" * 10_000 + "␛  a, b"
