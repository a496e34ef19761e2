"""Themes: what the terminal's sixteen colours, of which all styles are made, become on the screen.

The screen speaks in red, yellow, cyan and dim (see theme.py), a theme says how these look: so every style that there is
or will be follows it, and a change of theme changes nothing but the paint. Signs stand beside all colours.
"""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as Ground
from textual.filter import LineFilter

RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN = range(1, 7)  # ANSI's numbers; the bright ones are eight more


class Palette(NamedTuple):
    """How colours look: styles as Rich writes them, empty for the terminal's own."""

    help: str
    ink: str = ""
    ground: str = ""
    dim: str = ""
    inks: Mapping[int, str] = {}
    grounds: Mapping[int, str] = {}
    colors: bool = True


DEFAULT = "terminal"
MONO = "mono"
PALETTES: dict[str, Palette] = {
    DEFAULT: Palette("the terminal's own colours"),
    "dark": Palette(
        "light text on a dark ground",
        "color(252)", "color(234)", "color(246)",
        {RED: "color(210)", GREEN: "color(114)", YELLOW: "color(222)", BLUE: "color(111)", MAGENTA: "color(176)",
         CYAN: "color(80)"},
        {YELLOW: "color(222)", RED: "color(210)", CYAN: "color(80)", GREEN: "color(114)"},
    ),
    "light": Palette(
        "dark text on a light ground, for a projector",
        "color(235)", "color(231)", "color(241)",
        # Yellow and cyan are purple and blue: of sixteen colours no other two are dark enough on every terminal.
        {RED: "color(124)", GREEN: "color(22)", YELLOW: "color(90)", BLUE: "color(18)", MAGENTA: "color(54)",
         CYAN: "color(19)"},
        {YELLOW: "color(222)", RED: "color(217)", CYAN: "color(153)", GREEN: "color(151)"},
    ),
    "high-contrast": Palette(
        "white and bright colours on black, nothing dim",
        "bright_white", "color(16)", "bright_white",
        {RED: "bold bright_red", GREEN: "bright_green", YELLOW: "bright_yellow", BLUE: "bright_cyan",
         MAGENTA: "bright_magenta", CYAN: "underline bright_cyan"},
        {YELLOW: "bright_yellow", RED: "bright_red", CYAN: "bright_cyan", GREEN: "bright_green"},
    ),
    MONO: Palette("no colour: bold, underlined and reversed; NO_COLOR chooses it",
                  inks={RED: "bold", CYAN: "underline"}, colors=False),
}  # fmt: skip
NAMES = tuple(PALETTES)


def asked(chosen: str) -> str:
    """Return the theme to begin with: the command line's, else none of NO_COLOR's colours, else what was chosen."""
    named = os.environ.get("OOPSCOPE_THEME", "") or ("high-contrast" if projector() else "")
    return named if named in PALETTES else MONO if "NO_COLOR" in os.environ else chosen


def projector() -> bool:
    """Return whether the screen is for a projector."""
    return bool(os.environ.get("OOPSCOPE_PROJECTOR"))


def plain_asked() -> bool:
    """Return whether the terminal is to get the basic colours only, nothing dim and nothing italic."""
    return bool(os.environ.get("OOPSCOPE_PLAIN_COLORS"))


class Paint(LineFilter):
    """Draws lines in a theme."""

    def __init__(self, name: str, plain: bool = False) -> None:
        super().__init__(enabled=plain or name != DEFAULT)
        self.name, self._palette, self._plain = name, PALETTES[name], plain
        self.style = lru_cache(maxsize=1024)(self._style)

    def apply(self, segments: list[Segment], background: Ground) -> list[Segment]:
        """Return the segments in the theme's colours."""
        return [Segment(text, self.style(style or Style.null()), control) for text, style, control in segments]

    def _style(self, style: Style) -> Style:
        """Return what a style becomes."""
        palette = self._palette
        out = style.without_color
        if palette.colors:
            out += self._ink(style.color) + self._ground(style.bgcolor)
            if style.dim and palette.dim:
                on_its_own = style.bgcolor is None or style.bgcolor.is_default
                out += Style.parse(f"not dim {palette.dim if on_its_own else ''}")
        else:
            out += self._ink(style.color) if style.bgcolor is None or style.bgcolor.is_default else _REVERSED
        return out + _UNADORNED if self._plain else out

    def _ink(self, color: Color | None) -> Style:
        if color is None or color.is_default:
            return Style.parse(self._palette.ink)
        number = _basic(color)
        named = self._palette.inks.get(number % 8) if number is not None else None
        if named is not None or not self._palette.colors:
            return Style.parse(named or "")
        return Style(color=color)

    def _ground(self, color: Color | None) -> Style:
        if color is None or color.is_default:
            return Style.parse(f"on {self._palette.ground}") if self._palette.ground else Style.null()
        number = _basic(color)
        named = self._palette.grounds.get(number % 8) if number is not None else None
        return Style(bgcolor=named or color)


_REVERSED = Style(reverse=True)
_UNADORNED = Style(dim=False, italic=False)


def _basic(color: Color) -> int | None:
    """Return the number of one of the sixteen colours, None for any other."""
    return color.number if color.type is ColorType.STANDARD else None
