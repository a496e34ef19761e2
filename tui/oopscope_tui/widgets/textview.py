"""The one virtual text view: lines of styled parts, some of them links, over rows that it does not own."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style

from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, crop, wrap
from oopscope_tui.places import Place
from oopscope_tui.settings import keys
from oopscope_tui.widgets.lines import Lines

SIDEWAYS = 16  # cells an arrow key scrolls
UNKNOWN = 80  # a width before there is one: a key that is typed ahead finds the links of what will show

Part = tuple[str, Style]


class Line(NamedTuple):
    """A line of a text: parts (already cleaned), where it leads, and what copying it gives if not its text."""

    parts: tuple[Part, ...] = ()
    link: Place | None = None
    copy: str = ""

    @property
    def text(self) -> str:
        """The line without styles."""
        return "".join(text for text, _ in self.parts)


BLANK = Line()


def line(*parts: str | Part, link: Place | None = None, copy: str = "") -> Line:
    """Return a Line of strings and (string, style) pairs, each cleaned."""
    return Line(
        tuple((clean(part), theme.PLAIN) if isinstance(part, str) else (clean(part[0]), part[1]) for part in parts),
        link,
        copy,
    )


def heading(text: str) -> Line:
    """Return a heading."""
    return line((text, theme.TITLE))


def wrapped(
    text: str, width: int, style: Style = theme.PLAIN, first: str = " ", rest: str = " ", link: Place | None = None
) -> list[Line]:
    """Return a text as lines of at most `width` cells, a link on the first."""
    lines = wrap(clean(text), width - cells(first))
    return [
        Line(((first if at == 0 else rest, theme.PLAIN), (part, style)), link if at == 0 else None)
        for at, part in enumerate(lines)
    ]


def _is_heading(row: Any) -> bool:
    return isinstance(row, Line) and bool(row.parts) and row.parts[0][1] == theme.TITLE


class TextView(Lines):
    """Lines of text; the cursor stands on links only, or on every line where `every` is set."""

    BINDINGS = keys.bindings(keys.TEXT)
    KEYS: ClassVar[tuple[keys.Key, ...]] = (*keys.LINES, *keys.TEXT)

    def __init__(self, title: str = "", *, every: bool = False, **more: Any) -> None:
        super().__init__(title, **more)
        self.all_selectable = every
        self.left = 0  # cells scrolled sideways
        self._build: Callable[[int], Sequence[Line]] | None = None
        self._built_for = -1

    def show(self, build: Callable[[int], Sequence[Line]]) -> None:
        """Show what `build` makes for the width; it is called again when the width changes or `rebuild` is."""
        self._build = build
        self.rebuild()

    def rebuild(self) -> None:
        """Make the text anew; the cursor stays on the same link, where it may stand anywhere on the same line."""
        if self._build is None:
            return
        self._built_for = self.text_width
        link, words, old = self.link, self.words(self.row) if self.row is not None else "", self.current or 0
        rows = list(self._build(self._built_for if self._built_for > 0 else UNKNOWN))
        self.view.replace(rows)
        if not self.all_selectable:
            same = [at for at, row in enumerate(rows) if link is not None and row.link == link]
            # Of several lines that lead there the one that says the same, else the one that stands nearest.
            self.current = min(
                same, key=lambda at: (self.words(rows[at]).strip() != words.strip(), abs(at - old)), default=None
            )
        elif self.current is not None and self.current >= len(rows):
            self.current = None
        self._rescan()
        self._settle()
        self.work()

    @property
    def text_width(self) -> int:
        """The cells a line has."""
        return self.size.width - 2 * self.edge - 1

    def on_resize(self) -> None:
        """Make the text for the new width."""
        if self.text_width != self._built_for:
            self.rebuild()
        if self.touched:
            self._show_cursor()

    def home(self) -> None:
        """Go to the beginning: another thing is shown."""
        self.top = self.left = 0
        self.current = self._left_at = None

    @property
    def link(self) -> Place | None:
        """Where the selected line leads."""
        row = self.row
        return row.link if isinstance(row, Line) else None

    def selectable(self, row: Any) -> bool:
        """Return whether the line is a link."""
        return self.all_selectable or row.link is not None

    def words(self, row: Any) -> str:
        """Return the line's text."""
        return "".join([text for text, _ in self.parts(row)])

    def parts(self, row: Any) -> Sequence[Part]:
        """Return the line's parts."""
        parts: Sequence[Part] = row.parts
        return parts

    def paint(self, row: Any, width: int, here: bool) -> list[Segment]:
        """Return the part of the line that is in view."""
        segments: list[Segment] = []
        skip, room = self.left, width
        for text, style in self.parts(row):
            size = cells(text)
            if skip >= size:
                skip -= size
                continue
            if skip or size > room:
                text = crop(text, skip, min(size - skip, room))
                if size - skip > room:
                    text = crop(text, 0, room - 1) + "…"
                size = min(size - skip, room)
                skip = 0
            segments.append(Segment(text, style))
            room -= size
            if room <= 0:
                break
        if room > 0:
            segments.append(Segment(" " * room))
        return segments

    async def action_aside(self, step: int) -> None:
        """Scroll sideways where lines are longer than the view; else go to the neighbour."""
        widest = max((cells(self.words(self.view.row(at))) for at in self._in_view()), default=0)
        if (step > 0 and widest > self.left + self.text_width) or (step < 0 and self.left):
            self.left = max(0, self.left + SIDEWAYS * step)
            self.refresh()
        else:
            await super().action_aside(step)

    def sections(self) -> Sequence[int]:
        """Return where the headings stand."""
        return [at for at in range(len(self.view)) if _is_heading(self.view.row(at))]

    def action_section(self, step: int) -> None:
        """Go to the next heading, or to the one before that under which the cursor stands."""
        heads = self.sections()
        here = max(self.top, self.cursor)
        after = next((at for at in heads if at > here), None)
        before = [at for at in heads if at <= here][:-1]
        target = after if step > 0 else before[-1] if before else 0
        if target is None:
            return
        self.top = self._clamp_top(target)
        found = self._seek(target - 1, 1)
        if found is not None and found < self.top + self.page:
            self._place(found)
        self._left()
        self.refresh()

    def _in_view(self) -> range:
        return range(self.top, min(self.top + self.page, len(self.view)))
