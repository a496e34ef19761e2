"""Themes, and Textual's command palette over the same commands: readable, live, and left cleanly."""

import itertools
from typing import Any

import pytest
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.command import CommandList
from textual.pilot import Pilot

from oopscope.cli.common import THEMES
from oopscope_tui.look import theme
from oopscope_tui.look.palette import NAMES, PALETTES, Paint, asked
from oopscope_tui.places import Place
from tui.driving import LARGE, enter, lines, press, running, text
from tui.test_hostile import nasty_fake

ROLES = {
    name: getattr(theme, name)
    for name in ("PLAIN", "BOLD", "DIM", "RULE", "HEADING", "BAD", "DOUBT", "LINK", "KEY", "HIT", "CURSOR")
}
OWN = [name for name in NAMES if PALETTES[name].ground]
ENOUGH = 4.5  # contrast that WCAG asks of text
XTERM = [(0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
         (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255),
         (255, 255, 255)]  # fmt: skip
LINUX = [(0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170),
         (85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85), (85, 85, 255), (255, 85, 255), (85, 255, 255),
         (255, 255, 255)]  # fmt: skip


def drawn(style: Any, system: Any) -> Any:
    """The colours of text and ground: as they are in 256 colours, and in sixteen by the terminal's own table."""
    pair = []
    for color in (style.color, style.bgcolor):
        lower = color.downgrade(system)
        pair.append(lower)
    return pair[::-1] if style.reverse else pair


def contrast(one: Any, other: Any) -> Any:
    return Color(*one).get_contrast_ratio(Color(*other)) if hasattr(Color, "get_contrast_ratio") else _ratio(one, other)  # type: ignore[attr-defined]


def _ratio(one: Any, other: Any) -> Any:
    levels = sorted(0.2126 * _linear(r) + 0.7152 * _linear(g) + 0.0722 * _linear(b) for r, g, b in (one, other))
    return (levels[1] + 0.05) / (levels[0] + 0.05)


def _linear(channel: Any) -> Any:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize(("name", "role"), itertools.product(OWN, ROLES))
def test_what_has_its_own_ground_is_readable_in_256_and_in_16_colours(name: str, role: Any) -> None:
    style = Paint(name).style(ROLES[role])
    ink, ground = drawn(style, ColorSystem.EIGHT_BIT)
    assert contrast(ink.get_truecolor(), ground.get_truecolor()) >= ENOUGH
    ink, ground = drawn(style, ColorSystem.STANDARD)
    for table in (XTERM, LINUX):
        assert contrast(table[ink.number], table[ground.number]) >= 3.0


def test_the_terminals_own_colours_are_left_alone() -> None:
    assert not Paint("terminal").enabled
    plain = Paint("terminal", plain=True)
    assert plain.enabled
    assert plain.style(theme.BAD) == theme.BAD + Style(dim=False, italic=False)
    assert not plain.style(theme.DIM).dim


def test_mono_has_no_colour_and_keeps_what_matters_apart() -> None:
    paint = Paint("mono")
    for style in ROLES.values():
        assert paint.style(style).color is None
        assert paint.style(style).bgcolor is None
    assert paint.style(theme.BAD).bold
    assert paint.style(theme.LINK).underline
    assert paint.style(theme.HIT).reverse


@pytest.mark.parametrize("name", NAMES)
def test_a_line_keeps_its_text(name: str) -> None:
    segments = [Segment("a", theme.BAD), Segment("b"), Segment("世", Style(color="#123456", bgcolor="color(99)"))]
    done = Paint(name, plain=True).apply(segments, Color(0, 0, 0))
    assert [one.text for one in done] == ["a", "b", "世"]


def test_the_command_line_knows_the_same_themes() -> None:
    assert THEMES == NAMES


def test_which_theme_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("OOPSCOPE_THEME", raising=False)
    assert asked("dark") == "dark"
    monkeypatch.setenv("NO_COLOR", "1")
    assert asked("dark") == "mono"
    monkeypatch.setenv("OOPSCOPE_THEME", "light")
    assert asked("dark") == "light"


async def test_a_theme_is_changed_live_on_every_cell() -> None:
    async with running() as (app, pilot):
        before = text(app)
        for name in NAMES:
            await enter(app, pilot, ":", f"theme {name}")
            app.status.quiet()
            await press(app, pilot)
            styles = [style for strip in app.lines_on_screen() for _, style, _ in strip]
            if PALETTES[name].ground:
                assert all(style and style.color and style.bgcolor for style in styles)
            assert app.paint.name == name
            assert [line.split() for line in text(app).splitlines()[:-2]] == [
                line.split() for line in before.splitlines()[:-2]
            ]
        await enter(app, pilot, ":", "theme puce[red]")
        assert "no theme puce[red]" in text(app)


async def test_the_palette_goes_to_places_and_is_left_cleanly() -> None:
    async with running(size=LARGE) as (app, pilot):
        before = text(app)
        await pilot.press("ctrl+p")
        await press(app, pilot)
        assert "Search for commands" in text(app)
        listed = app.screen.query_one(CommandList)
        words = [str(listed.get_option_at_index(at).prompt) for at in range(listed.option_count)]
        assert any("other colours" in word for word in words), words
        assert lines(app)[-1].strip() == "Enter go  ↑ ↓ choose  Esc back"
        await pilot.press("escape")
        await press(app, pilot)
        assert text(app) == before
        await pilot.press("ctrl+p")
        await pilot.press(*"insm")
        await until(pilot, lambda: "241 insmod" in lines(app)[4])
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: app.pane.key == "tasks")
        assert app.pane.here() == Place("tasks", 241, True)
        await press(app, pilot, "escape")
        assert app.pane.key == "overview"


async def test_a_command_of_the_palette_that_wants_more_opens_the_prompt() -> None:
    async with running() as (app, pilot):
        await pilot.press("ctrl+p")
        await pilot.press(*"dis")
        await until(pilot, lambda: "dis NAME" in lines(app)[4])
        assert "Esc back" in lines(app)[-1]
        await pilot.press("enter")
        await until(pilot, lambda: app.prompt_line.is_open)
        assert app.prompt_line.text == "dis "


async def test_names_from_a_dump_are_text_in_the_palette() -> None:
    async with running(nasty_fake()) as (app, pilot):
        await pilot.press("ctrl+p")
        await pilot.press(*"red")
        await until(pilot, lambda: "[red]" in text(app))
        for strip in app.lines_on_screen():
            assert strip.cell_length == 80
            assert not any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in strip.text)
        await pilot.press("escape")
        assert app.is_running


async def until(pilot: Pilot[int], holds: Any) -> None:
    for _ in range(500):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come")


def test_dim_words_on_a_coloured_ground_take_the_ink_of_that_ground() -> None:
    style = Paint("dark").style(Style(dim=True, color="black", bgcolor="cyan"))
    assert not style.dim
    assert style.color.number == 0
