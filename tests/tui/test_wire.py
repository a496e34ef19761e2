"""What is written for a change, played on a terminal, gives the screen that was meant; and it is little."""

import random
from typing import Any

import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.strip import Strip

from oopscope.bundled import bundled_path
from oopscope_tui.places import Place
from oopscope_tui.terminal.wire import BLANK, Wire, change, difference, expand, sgr
from tui.driving import Opened, press, running, settle
from tui.terminal import Terminal

STYLES = [
    Style.null(),
    Style(bold=True),
    Style(color="red"),
    Style(reverse=True),
    Style(color="black", bgcolor="yellow"),
]
WORDS = ["plain", "a longer run of words", "世界", "e\u0301x", "    ", "│", "►"]
WIDTH, HEIGHT = 40, 12


def a_row(chance: Any) -> Any:
    strip = Strip([Segment(chance.choice(WORDS), chance.choice(STYLES)) for _ in range(chance.randrange(6))])
    return expand((strip,), WIDTH, ColorSystem.STANDARD)


def play(terminal: Any, old: Any, new: Any, margins: bool = False) -> Any:
    data = difference(old, new, margins)
    terminal.feed(data)
    assert terminal.rows == new
    assert terminal.region == (0, HEIGHT - 1) and not terminal.sided
    return len(data)


@pytest.mark.thorough
@pytest.mark.parametrize("margins", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_any_change_arrives(seed: int, margins: bool) -> None:
    chance = random.Random(seed)
    terminal = Terminal(WIDTH, HEIGHT)
    frame = [[BLANK] * WIDTH for _ in range(HEIGHT)]
    for _ in range(20):
        following = [row.copy() for row in frame]
        kind = chance.randrange(5)
        if kind == 0:
            following = [a_row(chance) for _ in range(HEIGHT)]
        elif kind == 1:
            following[chance.randrange(HEIGHT)] = a_row(chance)
        elif kind == 2:
            following[chance.randrange(HEIGHT)][chance.randrange(WIDTH)] = ("x", "1")
        else:
            top, bottom = sorted(chance.sample(range(HEIGHT + 1), 2))
            by = chance.choice([-3, -2, -1, 1, 2, 3])
            block = following[top:bottom]
            fresh = [a_row(chance) for _ in range(abs(by))]
            block = [*block[by:], *fresh] if by > 0 else [*fresh, *block[:by]]
            following[top:bottom] = block[-(bottom - top) :] if by > 0 else block[: bottom - top]
        mended = []
        for row in following:  # a wide character cut in half is no frame that Textual makes
            mended.append([BLANK if torn(row, x) else cell for x, cell in enumerate(row)])
        play(terminal, frame, mended, margins)
        frame = mended


def torn(row: Any, x: Any) -> Any:
    from rich.cells import get_character_cell_size

    char = row[x][0]
    if char == "":
        return x == 0 or get_character_cell_size(row[x - 1][0][:1] or " ") != 2
    return get_character_cell_size(char[0]) == 2 and (x + 1 == len(row) or row[x + 1][0] != "")


def long_list(top: Any, cursor: Any) -> Any:
    rows = []
    for at in range(HEIGHT):
        if at in (0, HEIGHT - 1):
            text, style = f"bar {at}", Style.null()
        else:
            text, style = f"{top + at:6d} a line of the list", Style(reverse=True) if at == cursor else Style.null()
        rows.append(expand((Strip([Segment(text.ljust(WIDTH), style)]),), WIDTH, ColorSystem.STANDARD))
    return rows


@pytest.mark.parametrize("step", [1, -1, 3, -3])
def test_a_scroll_is_the_terminals_own(step: int) -> None:
    terminal = Terminal(WIDTH, HEIGHT)
    empty = [[BLANK] * WIDTH for _ in range(HEIGHT)]
    cursor = HEIGHT - 2 if step > 0 else 1
    play(terminal, empty, long_list(100, cursor))
    cost = play(terminal, long_list(100, cursor), long_list(100 + step, cursor))
    assert cost < 100 + 45 * abs(step)


def with_detail(top: Any, cursor: Any) -> Any:
    rows = []
    for at in range(HEIGHT):
        style = Style(reverse=True) if at == cursor else Style.null()
        detail = "" if at > 6 else f"│ {at} {top}" if at == 3 else f"│ {at}"
        segments = [Segment(f"{top + at} {(top + at) ** 5:x}".ljust(28), style), Segment(detail.ljust(WIDTH - 28))]
        rows.append(expand((Strip(segments),), WIDTH, ColorSystem.STANDARD))
    return rows


@pytest.mark.parametrize("step", [1, -1, 2])
def test_a_list_scrolls_beside_a_detail_that_does_not(step: int) -> None:
    terminal = Terminal(WIDTH, HEIGHT)
    empty = [[BLANK] * WIDTH for _ in range(HEIGHT)]
    cursor = HEIGHT - 1 if step > 0 else 0
    play(terminal, empty, with_detail(1000, cursor))
    data = difference(with_detail(1000, cursor), with_detail(1000 + step, cursor))
    assert "r\x1b" in data
    play(terminal, with_detail(1000, cursor), with_detail(1000 + step, cursor))


@pytest.mark.parametrize("step", [1, -1, 2])
def test_with_margins_the_list_moves_alone(step: int) -> None:
    terminal = Terminal(WIDTH, HEIGHT)
    cursor = HEIGHT - 1 if step > 0 else 0
    old, new = with_detail(1000, cursor), with_detail(1000 + step, cursor)
    play(terminal, [[BLANK] * WIDTH for _ in range(HEIGHT)], old)
    data = difference(old, new, True)
    assert "\x1b[?69h\x1b[1;" in data and data.count("│") == 0  # the rule and what is beside it stay
    cost = play(terminal, old, new, True)
    assert cost < len(difference(old, new))
    mirrored = [[row[28:] + row[:28] for row in frame] for frame in (old, new)]
    terminal = Terminal(WIDTH, HEIGHT)
    play(terminal, [[BLANK] * WIDTH for _ in range(HEIGHT)], mirrored[0])
    play(terminal, mirrored[0], mirrored[1], True)
    assert f";{WIDTH}s" in difference(mirrored[0], mirrored[1], True)


def test_the_shorter_way_is_taken() -> None:
    counting = [expand((Strip([Segment(f"{at}")]),), WIDTH, None) for at in range(5)]
    assert "r\x1b[" not in difference(counting[:-1], counting[1:])


def test_what_is_blank_is_cleared_and_a_space_has_no_ink() -> None:
    red, plain = Style(color="red"), Style.null()
    old = [expand((Strip([Segment("a word and more", plain)]),), 40, ColorSystem.STANDARD)]
    new = [expand((Strip([Segment("a word  ", red)]),), 40, ColorSystem.STANDARD)]
    assert new[0][6:] == [BLANK] * 34
    assert difference(old, new) == "\x1b[1H\x1b[31ma word\x1b[K\x1b[m"
    assert difference(new, old) == "\x1b[1Ha word and more"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "1", "1"),
        ("1", "1;31", "31"),
        ("31", "32", "32"),
        ("1;31", "32", "0;32"),
        ("7", "", ""),
        ("2", "38;5;9", "0;38;5;9"),
        ("38;2;1;2;3", "1;38;2;4;5;6", "1;38;2;4;5;6"),
        ("30;43", "30", "0;30"),
    ],
)
def test_a_style_is_changed_by_what_is_new(old: str, new: str, expected: str) -> None:
    assert change(old, new) == expected


def test_no_change_is_no_byte() -> None:
    assert difference(long_list(1, 2), long_list(1, 2)) == ""


def test_textuals_two_updates() -> None:
    console = Console(color_system="standard", force_terminal=True)
    wire, terminal = Wire(), Terminal(10, 3)
    lines = [[Strip([Segment("abcdefghij")])] for _ in range(3)]
    terminal.feed(wire.update(LayoutUpdate(lines, Region(0, 0, 10, 3))).render_segments(console))
    assert terminal.lines == ["abcdefghij"] * 3
    chops = [{0: None, 5: None}, {0: None, 5: Strip([Segment("VWXYZ", Style(bold=True))])}, {0: None, 5: None}]
    update = wire.update(ChopsUpdate(chops, [(1, 5, 10)], [[5, 10]] * 3))
    data = update.render_segments(console)
    terminal.feed(data)
    assert terminal.lines == ["abcdefghij", "abcdeVWXYZ", "abcdefghij"]
    assert len(data) < 30
    wire.forget()
    again = wire.update(LayoutUpdate(lines, Region(0, 0, 10, 3))).render_segments(console)
    assert "\x1b[2J" in again


def test_a_first_update_in_pieces_is_an_update_of_an_empty_screen() -> None:
    console = Console(color_system="standard", force_terminal=True)
    wire, terminal = Wire(), Terminal(10, 2)
    terminal.feed("left over")
    chops = [{0: Strip([Segment("abcde")]), 5: Strip([Segment("fghij")])}, {0: Strip([Segment("klmno")]), 5: None}]
    update = wire.update(ChopsUpdate(chops, [(0, 0, 10), (1, 0, 5)], [[5, 10]] * 2))
    terminal.feed(update.render_segments(console))
    assert terminal.lines == ["abcdefghij", "klmno     "]


def test_an_update_in_pieces_of_an_unknown_screen_paints_all_that_was_meant() -> None:
    console = Console(color_system="standard", force_terminal=True)
    wire, terminal = Wire(), Terminal(10, 2)
    lines = [[Strip([Segment("abcdefghij")])] for _ in range(2)]
    wire.update(LayoutUpdate(lines, Region(0, 0, 10, 2))).render_segments(console)
    wire.forget()
    piece = ChopsUpdate([{0: None, 5: None}, {0: None, 5: Strip([Segment("VWXYZ")])}], [(1, 5, 10)], [[5, 10]] * 2)
    terminal.feed(wire.update(piece).render_segments(console))
    assert terminal.lines == ["abcdefghij", "abcdeVWXYZ"]


def test_another_size_paints_everything() -> None:
    console = Console(color_system="standard", force_terminal=True)
    wire = Wire()
    for width, height in ((10, 3), (12, 4)):
        terminal = Terminal(width, height)
        lines = [[Strip([Segment("x" * width)])] for _ in range(height)]
        terminal.feed(wire.update(LayoutUpdate(lines, Region(0, 0, width, height))).render_segments(console))
        assert terminal.lines == ["x" * width] * height


def test_default_colours_are_not_written() -> None:
    assert sgr(Style(color="default", bgcolor="default"), ColorSystem.STANDARD) == ""
    assert sgr(Style(color="red", bgcolor="default", bold=True), ColorSystem.STANDARD) == "1;31"
    assert sgr(Style(color="red", bold=True), None) == "1"


@pytest.mark.thorough
async def test_a_scroll_with_a_detail_beside_is_a_kilobyte_at_most() -> None:
    """On the demo's tasks at 160x48; with margins the median, without them what the README names."""
    costs: dict[bool, list[int]] = {True: [], False: []}
    async with running(Opened(), (160, 48), [bundled_path()]) as (app, pilot):
        await app.go(Place("tasks"))
        await settle(app, pilot)
        await press(app, pilot, "g", *"j" * 43)  # to the edge of the view, so that every further step scrolls
        frame = shown(app)
        for _ in range(8):
            await press(app, pilot, "j")
            following = shown(app)
            for margins, cost in costs.items():
                cost.append(len(difference(frame, following, margins).encode()))
            frame = following
    with_margins, without = sorted(costs[True]), sorted(costs[False])
    assert with_margins[len(with_margins) // 2] <= 1000, with_margins
    assert without[len(without) // 2] <= 2000, without


def shown(app: Any) -> Any:
    """The frame, as cells."""
    visible_screen_stack.set(app._background_screens)
    return [expand((strip,), app.size.width, ColorSystem.STANDARD) for strip in app.lines_on_screen()]
