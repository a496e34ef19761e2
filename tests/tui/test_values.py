"""Values in words, by kind; odd ones are shown, never raised."""

from typing import get_args

import pytest

from oopscope.kernel.frame import Frame
from oopscope.report.values import value
from oopscope.subsystems import Kind  # type: ignore[attr-defined]
from oopscope_tui.look.text import ABSENT
from oopscope_tui.look.values import human_bytes, human_seconds, order, show


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0"), (999, "999"), (1000, "1.0K"), (1536, "1.5K"), (10 << 10, "10K"), (384 << 20, "384M"), (1 << 40, "1.0T"),
     (1023 << 20, "1.0G"), (5 << 60, "5.0E"), (1 << 80, "1048576E"), (-2048, "-2.0K")],
)  # fmt: skip
def test_bytes(count: int, words: str) -> None:
    assert human_bytes(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.5, "0.50s"), (59.9, "59s"), (61, "1m 01s"), (7380, "2h 03m"), (5 * 86400 + 4 * 3600, "5d 04h"), (-3, "-3.00s")],
)
def test_seconds(seconds: float | int, words: str) -> None:
    assert human_seconds(seconds) == words


def test_none_is_a_dash_in_every_kind() -> None:
    for kind in get_args(Kind):
        assert show(kind, None) == ABSENT


@pytest.mark.parametrize("kind", ["int", "bytes", "address", "seconds", "list", "frames", "registers", "no such kind"])
def test_a_value_that_does_not_suit_its_kind_is_shown_all_the_same(kind: str) -> None:
    values = ["text", b"\xff", object, 1.5, [1], {"a": 1}, -1, 1 << 200, float("inf"), float("nan")]
    assert [value for value in values if not isinstance(show(kind, value), str)] == []


def test_frames_and_registers() -> None:
    frames = (Frame(0x10, "inner", 1, None, "task", True), Frame(0x20, None, None, None, "task", False))
    assert show("frames", frames) == "inner \u2039 0x20"
    assert show("registers", {"rip": 255}) == "rip=0xff"


def test_plain_data_follows_the_report() -> None:
    assert value(255, "address") == "0xff"
    assert value(255, "int") == 255
    assert value(("a", "b"), "list") == ["a", "b"]
    (frame,) = value((Frame(0x10, "f", 2, "mod", "task", True),), "frames")  # type: ignore[misc]
    assert (frame["address"], frame["symbol"], frame["offset"]) == ("0x10", "f", 2)  # type: ignore[has-type]


def test_order_of_text_ignores_case() -> None:
    assert sorted(["b", "A", "c"], key=order) == ["A", "b", "c"]
