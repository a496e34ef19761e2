"""Text is made safe and made to fit, cell by cell."""

import pytest
from rich.cells import cell_len

from oopscope_tui.look.text import LONGEST, cells, clean, crop, fit, plural, wrap

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "[red]not markup[/red]",
    "tab\there",
    "bell\x07 and nul\x00",
    "\x9b31m C1",
    "over\u202eride",
    "zero\u200bwidth\u200djoin\ufeff",
    "line\u2028sep",
    "\udc80 raw byte",
    "variation\ufe0f\U000e0100",
    "世界 wide",
    "e\u0301 combining",
    "z" + "\u0301" * 500 + "algo",
    "\u0301 first",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 family",
    "x" * 10_000,
    "世" * 10_000,
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_it_can_move_the_cursor_or_hide(text: str) -> None:
    shown = clean(text)
    assert all(ord(char) >= 0x20 and not 0x7F <= ord(char) <= 0x9F for char in shown)
    assert not set(shown) & set("\u202e\u200b\u200d\ufeff\u2028\u2029\ufe0f")
    shown.encode("utf-8")
    assert len(shown) <= 10 * LONGEST
    assert sum(cell_len(char) for char in shown) == cells(shown)


@pytest.mark.parametrize("width", [1, 2, 5, 16, 40])
def test_it_takes_exactly_its_cells(width: int) -> None:
    for text in HOSTILE:
        assert cells(fit(clean(text), width)) == width, text
        assert cells(fit(clean(text), width, right=True)) == width, text
        for start in range(4):
            assert cells(crop(clean(text), start, width)) == width, text


@pytest.mark.parametrize("text", HOSTILE)
def test_wrapped_lines_are_no_wider_and_lose_nothing(text: str) -> None:
    shown = clean(text)
    lines = wrap(shown, 20)
    assert lines
    assert all(cells(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")


def test_what_is_plain_stays_as_it_is() -> None:
    assert clean("kworker/0:1-events [mem 0x1-0x2]") == "kworker/0:1-events [mem 0x1-0x2]"
    assert clean("Grüße, мир, 世界") == "Grüße, мир, 世界"


def test_stand_ins_are_visible_and_tell_which() -> None:
    assert clean("\x1b[2J") == "␛[2J"
    assert clean("a\u202eb") == "a\\u202eb"
    assert clean("\udcff") == "\\xff"


def test_cut_text_says_so() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("世界世界", 4) == "世 …"
    assert fit("ab", 4, right=True) == "  ab"


def test_plural() -> None:
    assert plural(1, "task") == "1 task"
    assert plural(1200, "entry", "entries") == "1,200 entries"
