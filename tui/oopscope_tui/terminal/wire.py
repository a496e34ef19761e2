"""What goes over the wire: only the cells that changed, and one scroll of the terminal's own for lines that moved.

It keeps the frame that the terminal shows, as curses does, and writes the difference to the next one: over SSH a step
down a long list costs a few hundred bytes instead of ten thousand. It knows Textual's two kinds of update and nothing
of the panes. Scrolling follows ECMA-48 and the VT100: DECSTBM sets the lines, IND and RI move them, which every
terminal has, the Linux console included.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

Cell = tuple[str, str]  # a character with its marks ("" under the right half of a wide one), and its SGR codes
Row = list[Cell]
BLANK: Cell = (" ", "")
WORTH = 3  # lines that must move before a scroll is tried


class Wire:
    """The frame on the terminal, and the way to the next."""

    def __init__(self) -> None:
        self._frame: list[Row] | None = None
        self._known = False  # the terminal shows the frame
        self.margins = False  # it has left and right margins

    def forget(self) -> None:
        """The terminal shows something unknown: paint everything next time."""
        self._known = False

    @property
    def size(self) -> tuple[int, int]:
        """The width and the height of the frame, zeros before there is one."""
        return (len(self._frame[0]), len(self._frame)) if self._frame else (0, 0)

    def update(self, renderable: CompositorUpdate) -> "Update | CompositorUpdate":
        """Return what Textual should write in the place of its own update."""
        return Update(self, renderable) if isinstance(renderable, (LayoutUpdate, ChopsUpdate)) else renderable

    def write(self, update: CompositorUpdate, console: Console) -> str:
        """Return the bytes that bring the terminal to the next frame, and keep that frame."""
        system = COLOR_SYSTEMS[console.color_system] if console.color_system else None
        old, known = self._frame, self._known
        new = self._next(update, system)
        self._frame, self._known = new, new is not None
        if new is None:
            return update.render_segments(console)
        if old is None or not known or len(old) != len(new) or (new and len(old[0]) != len(new[0])):
            return "\x1b[m\x1b[2J" + paint([[BLANK] * len(row) for row in new], new)
        return difference(old, new, self.margins)

    def _next(self, update: CompositorUpdate, system: ColorSystem | None) -> list[Row] | None:
        """Return the next frame; None for an update of another kind or of another size."""
        if isinstance(update, LayoutUpdate):
            width = update.region.width
            return [expand(line, width, system) for line in update.strips]
        if not isinstance(update, ChopsUpdate):
            return None
        # No frame of this size: an empty one. Textual's first update is of this kind, and covers all of it.
        same = self.size == (update.chop_ends[-1][-1], len(update.chop_ends))
        frame = list(self._frame if self._frame and same else ([BLANK] * ends[-1] for ends in update.chop_ends))
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
            blank = "" if hollow(codes) else codes  # of a space in red nothing shows
            if text.isascii():
                row.extend([(char, blank if char == " " else codes) for char in text])
            else:
                _expand_wide(row, text, codes, blank)
    if len(row) != width:
        row = row[:width] + [BLANK] * (width - len(row))
    return row


def _expand_wide(row: Row, text: str, codes: str, blank: str) -> None:
    for char in text:
        size = get_character_cell_size(char)
        if size == 0:
            if row and row[-1][0]:
                row[-1] = (row[-1][0] + char, row[-1][1])
            continue
        row.append((char, blank if char == " " else codes))
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


def difference(old: Sequence[Row], new: Sequence[Row], margins: bool = False) -> str:
    """Return the sequence that turns one frame into another of the same size: the shortest of a few ways."""
    changed = [y for y, row in enumerate(new) if row != old[y]]
    plain = paint(old, new, changed)
    ways = [plain]
    for by, top, bottom in find_shifts(old, new, changed):
        whole = (0, len(new[0]))
        for span in (whole, *(_halves(old, new, (by, top, bottom)) if margins else ())):
            moved = scrolled(old, by, top, bottom, span)
            left = [y for y, row in enumerate(new) if row != moved[y]]
            ways.append(scroll(by, top, bottom, span if span != whole else None) + paint(moved, new, left))
    return min(ways, key=len)


def _halves(old: Sequence[Row], new: Sequence[Row], shift: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Return the columns left, and those right, of the rule at which what moved and what stayed divide best."""
    by, top, bottom = shift
    lines = range(max(top, top - by), min(bottom, bottom - by) + 1)
    width = len(new[0])
    gain = [0] * (width + 1)  # of moving the columns before one, against leaving them
    for x in range(width):
        column = sum((new[y][x] == old[y + by][x]) - (new[y][x] == old[y][x]) for y in lines)
        gain[x + 1] = gain[x] + column
    left = max(range(width + 1), key=lambda x: gain[x])
    right = max(range(width + 1), key=lambda x: gain[width] - gain[x])
    spans = [(0, left), (right, width)]
    torn = {x for x in (left, right) if x < width and any(row[x][0] == "" for row in (*old, *new))}
    return [one for one in spans if one[1] - one[0] > 1 and one != (0, width) and not torn & {*one}]


def find_shifts(old: Sequence[Row], new: Sequence[Row], changed: Sequence[int]) -> set[tuple[int, int, int]]:
    """Return (lines, top, bottom) of the blocks that moved up (positive) or down; none where nothing worth it did.

    Half a line is looked at: where a list moves, what stands beside it need not.
    """
    shifts: set[tuple[int, int, int]] = set()
    if len(changed) < WORTH:
        return shifts
    half = len(new[0]) // 2
    for side in (slice(0, half), slice(half, None)):
        olds, news = [tuple(row[side]) for row in old], [tuple(row[side]) for row in new]
        places: dict[tuple[Cell, ...], list[int]] = {}
        for y, row in enumerate(olds):
            places.setdefault(row, []).append(y)
        votes: Counter[int] = Counter()
        for y in changed:
            found = places.get(news[y], ())
            if 0 < len(found) <= 2:  # a line that stands in many places says nothing
                votes.update(at - y for at in found)
        del votes[0]
        by, count = votes.most_common(1)[0] if votes else (0, 0)
        if count >= WORTH:
            same = [y for y in range(len(new)) if 0 <= y + by < len(old) and news[y] == olds[y + by] != olds[y]]
            if not same:
                continue
            top, bottom = min(same), max(same)
            shifts.add((by, min(top, top + by), max(bottom, bottom + by)))
    return shifts


def scrolled(old: Sequence[Row], by: int, top: int, bottom: int, span: tuple[int, int]) -> list[Row]:
    """Return the frame after the lines top..bottom moved up by `by` (down where negative), within columns."""
    left, right = span
    block = [row[left:right] for row in old[top : bottom + 1]]
    empty = [[BLANK] * (right - left) for _ in range(abs(by))]
    block = block[by:] + empty if by > 0 else empty + block[:by]
    whole = [[*row[:left], *part, *row[right:]] for row, part in zip(old[top : bottom + 1], block, strict=True)]
    return [*old[:top], *whole, *old[bottom + 1 :]]


def scroll(by: int, top: int, bottom: int, span: tuple[int, int] | None = None) -> str:
    """Return the sequence that moves the lines: a scroll region, then IND at its bottom or RI at its top.

    span: the columns, where only these move.
    """
    at, step = (bottom, "\x1bD") if by > 0 else (top, "\x1bM")
    column = span[0] + 1 if span is not None else 1
    sides = f"\x1b[?69h\x1b[{column};{span[1]}s" if span is not None else ""
    whole = "\x1b[?69l" if span is not None else ""
    return f"\x1b[m{sides}\x1b[{top + 1};{bottom + 1}r\x1b[{at + 1};{column}H{step * abs(by)}\x1b[r{whole}"


def paint(old: Sequence[Row], new: Sequence[Row], lines: Iterable[int] | None = None) -> str:
    """Return the sequence that writes the cells that differ."""
    pen = Pen()
    for y in range(len(new)) if lines is None else lines:
        if _simple(old[y]) and _simple(new[y]):
            _paint_row(pen, y, old[y], new[y])
        else:  # characters that terminals may measure differently
            pen.wipe(y)
            _paint_row(pen, y, [BLANK] * len(new[y]), new[y])
    pen.style("")
    return "".join(pen.out)


class Pen:
    """What is written, and where and in which style the next character would stand."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.codes = ""
        self.x = self.y = -1

    def wipe(self, y: int) -> None:
        """Clear a line."""
        self.style("")
        self.out.append(f"\x1b[{y + 1}H\x1b[2K")
        self.x, self.y = 0, y

    def go(self, x: int, y: int, row: Row) -> None:
        """Go to a cell, over what lies between where that is shorter than a jump."""
        if y != self.y:
            self.out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        elif x != self.x:
            jump = f"\x1b[{x + 1}G"
            between = row[self.x : x]
            if len(between) <= len(jump) and all(len(char) == 1 and self.suits(char, codes) for char, codes in between):
                text = "".join(char for char, _ in between)
                jump = min(text, jump, key=lambda way: len(way.encode()))
            self.out.append(jump)
        self.x, self.y = x, y

    def suits(self, char: str, codes: str) -> bool:
        """Return whether a character looks as it should in the style that is on."""
        return codes == self.codes or (char == " " and not codes and hollow(self.codes))

    def put(self, cell: Cell) -> None:
        """Write a cell."""
        char, codes = cell
        if char and not self.suits(char, codes):
            self.style(codes)
        self.out.append(char)
        self.x += 1

    def style(self, codes: str) -> None:
        """Change the style."""
        if codes != self.codes:
            self.out.append(f"\x1b[{change(self.codes, codes)}m")
            self.codes = codes

    def clear_on(self) -> None:
        """Clear the line from here on."""
        if not hollow(self.codes):
            self.style("")
        self.out.append("\x1b[K")


@lru_cache(maxsize=4096)
def change(old: str, new: str) -> str:
    """Return the parameters that turn one style into another: what is new where nothing has to go, else all."""
    had, wanted = _parts(old), _parts(new)
    if all(name in wanted for name in had):
        return ";".join(part for name, part in wanted.items() if had.get(name) != part)
    return f"0;{new}" if new else ""


@lru_cache(maxsize=1024)
def hollow(codes: str) -> bool:
    """Return whether a space shows nothing in a style: no ground, no line under, over or through it."""
    return not _parts(codes).keys() & {"ground", "4", "7", "9", "21", "53"}


def _parts(codes: str) -> dict[str, str]:
    """Return a style's parameters: colours as `ink` and `ground`, the others under their own names."""
    parts: dict[str, str] = {}
    words = iter(codes.split(";") if codes else ())
    for word in words:
        number = int(word)
        long = [word, *islice(words, 1)] if number in (38, 48) else [word]
        if len(long) == 2:
            long += islice(words, 1 if long[1] == "5" else 3)
        if number == 38 or 30 <= number <= 37 or 90 <= number <= 97:
            parts["ink"] = ";".join(long)
        elif number == 48 or 40 <= number <= 47 or 100 <= number <= 107:
            parts["ground"] = ";".join(long)
        else:
            parts[word] = word
    return parts


def _paint_row(pen: Pen, y: int, old: Row, new: Row) -> None:
    last = len(new)  # from here on all is blank
    while last and new[last - 1] == BLANK:
        last -= 1
    for x, (before, after) in enumerate(zip(old, new, strict=True)):
        if before == after:
            continue
        if x >= last and sum(cell != BLANK for cell in old[x:]) > len("\x1b[K"):
            pen.go(max(last, pen.x) if pen.y == y else x, y, new)
            pen.clear_on()
            return
        pen.go(x, y, new)
        pen.put(after)


def _simple(row: Row) -> bool:
    return all(len(char) == 1 for char, _ in row)
