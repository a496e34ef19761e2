"""What goes over the wire: only the cells that changed, and one scroll of the terminal's own for lines that moved.

It keeps the frame that the terminal shows, as curses does, and writes the difference to the next one: over SSH a step
down a long list costs a few hundred bytes instead of ten thousand. It knows Textual's two kinds of update and nothing
of the panes. Scrolling follows ECMA-48 and the VT100: DECSTBM sets the lines, IND and RI move them, which every
terminal has, the Linux console included.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Cell = tuple[str, str]  # a character with its marks ("" under the right half of a wide one), and its SGR codes
Row = list[Cell]
BLANK: Cell = (" ", "")
GAP = 5  # cells written over rather than jumped over: about what a jump costs
WORTH = 3  # lines that must move before a scroll is tried


class Wire:
    """The frame on the terminal, and the way to the next."""

    def __init__(self) -> None:
        self._frame: list[Row] | None = None

    def forget(self) -> None:
        """The terminal shows something unknown: paint everything next time."""
        self._frame = None

    def update(self, renderable: CompositorUpdate) -> "Update | CompositorUpdate":
        """Return what Textual should write in the place of its own update."""
        return Update(self, renderable) if isinstance(renderable, (LayoutUpdate, ChopsUpdate)) else renderable

    def write(self, update: CompositorUpdate, console: Console) -> str:
        """Return the bytes that bring the terminal to the next frame, and keep that frame."""
        system = COLOR_SYSTEMS[console.color_system] if console.color_system else None
        old = self._frame
        new = self._next(update, system)
        if new is None:
            self._frame = None
            return update.render_segments(console)
        self._frame = new
        if old is None or len(old) != len(new) or (new and len(old[0]) != len(new[0])):
            return "\x1b[m\x1b[2J" + paint([[BLANK] * len(row) for row in new], new)
        return difference(old, new)

    def _next(self, update: CompositorUpdate, system: ColorSystem | None) -> list[Row] | None:
        """Return the next frame; None for an update of another kind or of another size."""
        if isinstance(update, LayoutUpdate):
            width = update.region.width
            return [expand(line, width, system) for line in update.strips]
        if not isinstance(update, ChopsUpdate):
            return None
        # Nothing known: an empty screen. Textual's first update is of this kind, and covers all of it.
        frame = list(self._frame or ([BLANK] * ends[-1] for ends in update.chop_ends))
        for y, start, end in update.spans:
            if y >= len(frame):
                return None
            row = frame[y].copy()
            for stop, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is not None and x < end and stop > start:
                    row[x:stop] = expand((strip,), stop - x, system)
            frame[y] = row
        return frame


class Update(CompositorUpdate):
    """An update that writes the difference to what the terminal shows."""

    def __init__(self, wire: Wire, update: CompositorUpdate) -> None:
        self._wire, self._update = wire, update

    def render_segments(self, console: Console) -> str:
        """Return the sequence to write."""
        return self._wire.write(self._update, console)


def expand(strips: Iterable[Strip], width: int, system: ColorSystem | None) -> Row:
    """Return strips as exactly `width` cells."""
    row: Row = []
    for strip in strips:
        for text, style, control in strip:
            if control:
                continue
            codes = sgr(style, system) if style is not None else ""
            if text.isascii():
                row.extend([(char, codes) for char in text])
            else:
                _expand_wide(row, text, codes)
    if len(row) != width:
        row = row[:width] + [BLANK] * (width - len(row))
    return row


def _expand_wide(row: Row, text: str, codes: str) -> None:
    for char in text:
        size = get_character_cell_size(char)
        if size == 0:
            if row and row[-1][0]:
                row[-1] = (row[-1][0] + char, row[-1][1])
            continue
        row.append((char, codes))
        if size == 2:
            row.append(("", codes))


@lru_cache(maxsize=1024)
def sgr(style: Style, system: ColorSystem | None) -> str:
    """Return a style's SGR parameters, empty for plain; the terminal's default colours are not written at all."""
    plain = style.without_color
    if system is not None:
        ink = None if style.color is None or style.color.is_default else style.color
        ground = None if style.bgcolor is None or style.bgcolor.is_default else style.bgcolor
        plain += Style.from_color(ink, ground)
    drawn = plain.render("x", color_system=system or ColorSystem.STANDARD)
    return drawn[2 : drawn.index("m")] if drawn.startswith("\x1b[") else ""


def difference(old: Sequence[Row], new: Sequence[Row]) -> str:
    """Return the sequence that turns one frame into another of the same size."""
    changed = [y for y, row in enumerate(new) if row != old[y]]
    if not changed:
        return ""
    shift = find_shift(old, new, changed)
    if shift is None:
        return paint(old, new, changed)
    by, top, bottom = shift
    moved = scrolled(old, by, top, bottom)
    left = [y for y, row in enumerate(new) if row != moved[y]]
    if len(left) >= len(changed):
        return paint(old, new, changed)
    return scroll(by, top, bottom) + paint(moved, new, left)


def find_shift(old: Sequence[Row], new: Sequence[Row], changed: Sequence[int]) -> tuple[int, int, int] | None:
    """Return (lines, top, bottom) of the block that moved up (positive) or down; None where nothing worth it did."""
    if len(changed) < WORTH:
        return None
    places: dict[tuple[Cell, ...], list[int]] = {}
    for y, row in enumerate(old):
        places.setdefault(tuple(row), []).append(y)
    votes: Counter[int] = Counter()
    for y in changed:
        found = places.get(tuple(new[y]), ())
        if 0 < len(found) <= 2:  # a line that stands in many places says nothing
            votes.update(at - y for at in found)
    del votes[0]
    if not votes:
        return None
    by, count = votes.most_common(1)[0]
    if count < WORTH:
        return None
    same = [y for y in range(len(new)) if 0 <= y + by < len(old) and new[y] == old[y + by] and new[y] != old[y]]
    top, bottom = min(same), max(same)
    return by, min(top, top + by), max(bottom, bottom + by)


def scrolled(old: Sequence[Row], by: int, top: int, bottom: int) -> list[Row]:
    """Return the frame after the lines top..bottom moved up by `by` (down where negative)."""
    block = list(old[top : bottom + 1])
    empty = [[BLANK] * len(block[0]) for _ in range(abs(by))]
    block = block[by:] + empty if by > 0 else empty + block[:by]
    return [*old[:top], *block, *old[bottom + 1 :]]


def scroll(by: int, top: int, bottom: int) -> str:
    """Return the sequence that moves the lines: a scroll region, then IND at its bottom or RI at its top."""
    at, step = (bottom, "\x1bD") if by > 0 else (top, "\x1bM")
    return f"\x1b[m\x1b[{top + 1};{bottom + 1}r\x1b[{at + 1};1H{step * abs(by)}\x1b[r"


def paint(old: Sequence[Row], new: Sequence[Row], lines: Iterable[int] | None = None) -> str:
    """Return the sequence that writes the cells that differ."""
    out: list[str] = []
    codes = ""
    for y in range(len(new)) if lines is None else lines:
        codes = _paint_row(out, y, old[y], new[y], codes)
    if codes:
        out.append("\x1b[m")
    return "".join(out)


def _paint_row(out: list[str], y: int, old: Row, new: Row, codes: str) -> str:
    if not _simple(old) or not _simple(new):  # characters that terminals may measure differently
        out.append(f"\x1b[m\x1b[{y + 1};1H\x1b[2K")
        old, codes = [BLANK] * len(new), ""
        spans = [(0, len(new))]
    else:
        spans = _spans(old, new)
    blank_from = len(new)
    while blank_from and new[blank_from - 1] == BLANK:
        blank_from -= 1
    for start, end in spans:
        out.append(f"\x1b[{y + 1};{start + 1}H" if start else f"\x1b[{y + 1}H")
        stop = max(start, min(end, blank_from))
        clear = end == len(new) and end - stop > 3
        for char, style in new[start : stop if clear else end]:
            if style != codes:
                out.append(f"\x1b[0;{style}m" if style and codes else f"\x1b[{style}m")
                codes = style
            out.append(char)
        if clear:
            if codes:
                out.append("\x1b[m")
                codes = ""
            out.append("\x1b[K")
    return codes


def _simple(row: Row) -> bool:
    return all(len(char) == 1 for char, _ in row)


def _spans(old: Row, new: Row) -> list[tuple[int, int]]:
    """Return the runs of cells that differ, those close together joined."""
    spans: list[tuple[int, int]] = []
    start = end = -1
    for x, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if start < 0:
            start = x
        elif x - end > GAP:
            spans.append((start, end))
            start = x
        end = x + 1
    if start >= 0:
        spans.append((start, end))
    return spans
