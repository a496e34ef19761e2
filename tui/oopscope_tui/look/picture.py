"""What stands on the screen as an SVG: every cell at its place, in a palette for a dark ground or a light one.

Each run of one style is a `text` with its length given, so that boxes and columns meet whatever font draws them.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style

CELL_WIDTH, CELL_HEIGHT, BASELINE, FONT_SIZE = 9.03, 18.0, 13.6, 15
FONTS = "'DejaVu Sans Mono', 'Liberation Mono', 'Noto Sans Mono', Menlo, Consolas, monospace"
PADDING = 10


class Palette(NamedTuple):
    """A ground, an ink, and the sixteen colours."""

    ground: str
    ink: str
    colours: tuple[str, ...]


DARK = Palette("#12161c", "#d3d7dd", (
    "#12161c", "#f0717b", "#98c379", "#e2bd6b", "#6ba7ef", "#c792ea", "#5cc3d1", "#d3d7dd",
    "#5c6370", "#ff8b92", "#b5e08d", "#ffd580", "#8fc1ff", "#e0b0ff", "#7fe0ee", "#ffffff",
))  # fmt: skip
LIGHT = Palette("#fbfbf9", "#2b2f36", (
    "#2b2f36", "#c0232f", "#3f7d20", "#9a6700", "#1f5fbf", "#8a3ab9", "#0b7285", "#e8e8e4",
    "#6b7280", "#d63a46", "#4f9428", "#b87a00", "#2f72d8", "#9d4fd0", "#1289a0", "#ffffff",
))  # fmt: skip


def svg(lines: Sequence[Iterable[Segment]], width: int, palette: Palette = DARK) -> str:
    """Return the lines of segments as an SVG picture of `width` cells."""
    drawn = (_line(segments, y, palette) for y, segments in enumerate(lines))
    return "".join([_head(width, len(lines), palette), *drawn, "</g></svg>\n"])


def moving(frames: Sequence[tuple[Sequence[Iterable[Segment]], float]], width: int, palette: Palette = DARK) -> str:
    """Return screens, each shown for its seconds, as one SVG that plays them again and again.

    A line that stays as it was is drawn once, for as long as it stays.
    """
    total = sum(seconds for _, seconds in frames)
    spans: list[tuple[str, float, float]] = []  # a line as drawn, when it comes, when it goes
    here: dict[int, int] = {}  # the span of each line just now
    clock = 0.0
    for lines, seconds in frames:
        for y, segments in enumerate(lines):
            drawn = _line(segments, y, palette)
            if y in here and spans[here[y]][0] == drawn:
                spans[here[y]] = (drawn, spans[here[y]][1], clock + seconds)
            else:
                here[y] = len(spans)
                spans.append((drawn, clock, clock + seconds))
        clock += seconds
    out = [_head(width, max((len(lines) for lines, _ in frames), default=0), palette)]
    out += [_shown(drawn, start / total, end / total, total) for drawn, start, end in spans if drawn]
    return "".join([*out, "</g></svg>\n"])


def _shown(drawn: str, start: float, end: float, total: float) -> str:
    """Show something from one part of the whole time to another."""
    if start <= 0 and end >= 1:
        return f"<g>{drawn}</g>"
    times, values = ["0"], ["inline" if start <= 0 else "none"]
    if start > 0:
        times, values = [*times, f"{start:.5f}"], [*values, "inline"]
    if end < 1:
        times, values = [*times, f"{end:.5f}"], [*values, "none"]
    animation = (
        f'<animate attributeName="display" dur="{total:.2f}s" repeatCount="indefinite" calcMode="discrete" '
        f'keyTimes="{";".join(times)}" values="{";".join(values)}"/>'
    )
    return f'<g display="{values[0]}">{animation}{drawn}</g>'


def _line(segments: Iterable[Segment], y: int, palette: Palette) -> str:
    out, x = "", 0
    for text, style, control in segments:
        if control:
            continue
        size = cell_len(text)
        out += _run(text, style or Style.null(), x, y, size, palette)
        x += size
    return out


def _head(width: int, height: int, palette: Palette) -> str:
    across, down = width * CELL_WIDTH + 2 * PADDING, height * CELL_HEIGHT + 2 * PADDING
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across:.0f} {down:.0f}" width="{across:.0f}" '
        f'height="{down:.0f}"><rect width="100%" height="100%" rx="8" fill="{palette.ground}"/>'
        "<style>text{white-space:pre}</style>"
        f'<g font-family="{FONTS}" font-size="{FONT_SIZE}" xml:space="preserve" '
        f'transform="translate({PADDING} {PADDING})">'
    )


def _run(text: str, style: Style, x: int, y: int, size: int, palette: Palette) -> str:
    ink, ground = _colour(style.color, palette.ink, palette), _colour(style.bgcolor, palette.ground, palette)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        ink = _blend(ink, ground, 0.55)
    out = ""
    left, top = x * CELL_WIDTH, y * CELL_HEIGHT
    if ground != palette.ground:
        across = size * CELL_WIDTH
        out += f'<rect x="{left:.2f}" y="{top:.1f}" width="{across:.2f}" height="{CELL_HEIGHT}" fill="{ground}"/>'
    if not text.strip():
        return out
    weight = ' font-weight="bold"' if style.bold else ""
    slant = ' font-style="italic"' if style.italic else ""
    under = ' text-decoration="underline"' if style.underline else ""
    lead = len(text) - len(text.lstrip(" "))
    body = text.strip(" ")
    left += lead * CELL_WIDTH
    return out + (
        f'<text x="{left:.2f}" y="{top + BASELINE:.1f}" fill="{ink}"{weight}{slant}{under} '
        f'textLength="{cell_len(body) * CELL_WIDTH:.2f}" lengthAdjust="spacing">{escape(body)}</text>'
    )


def _colour(colour: Color | None, default: str, palette: Palette) -> str:
    if colour is None or colour.is_default:
        return default
    if colour.number is not None and colour.type in (ColorType.STANDARD, ColorType.EIGHT_BIT) and colour.number < 16:
        return palette.colours[colour.number]
    return colour.get_truecolor().hex


def _blend(ink: str, ground: str, share: float) -> str:
    pairs = [(int(ink[at : at + 2], 16), int(ground[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)
