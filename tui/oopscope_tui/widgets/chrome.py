"""The four lines around the panes: what one looks at, where one can go, where one is, what one can press."""

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from oopscope_tui.look import theme
from oopscope_tui.look.text import cells, clean, fit
from oopscope_tui.settings.keys import Key

SEPARATOR = " · "
SAID_SECONDS = 6.0


class Bar(Widget):
    """One line, drawn by `segments`."""

    ALLOW_SELECT: ClassVar[bool] = False
    DEFAULT_CSS = "Bar { height: 1; }"

    _drawn: list[Segment] | None = None

    def segments(self, width: int) -> list[Segment]:
        """Return the line, `width` cells or fewer."""
        raise NotImplementedError

    def renew(self) -> None:
        """Draw the line anew if it says something else now."""
        if self.segments(self.size.width) != self._drawn:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw the line, padded."""
        width = self.size.width
        self._drawn = self.segments(width)
        return Strip(self._drawn).adjust_cell_length(width)


class Header(Bar):
    """The program's name, then the machine, the kernel, the crash and the file, as far as they fit."""

    def __init__(self, words: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self._words = words

    def segments(self, width: int) -> list[Segment]:
        """Return the badge and the words that fit, the first in bold."""
        badge = " oopscope  "
        out = [Segment(badge, theme.KEY)]
        room = width - len(badge) - 1
        for at, text in enumerate(clean(word) for word in self._words() if word):
            gap = SEPARATOR if at else ""
            if at and cells(text) + cells(gap) > room:
                continue
            text = text if cells(text) <= room else fit(text, room)
            out += [Segment(gap, theme.RULE), Segment(text, theme.BOLD if at == 0 else theme.PLAIN)]
            room -= cells(gap) + cells(text)
        return out


class Tab(NamedTuple):
    """A tab: its key, its title, the digit that chooses it; what it tells, and how: of trouble, of nothing there."""

    key: str
    title: str
    digit: int
    told: str = ""
    bad: bool = False
    empty: bool = False


class Tabs(Bar):
    """The tabs, each with its digit; the one in view reversed. Where they do not all fit, those around it show."""

    def __init__(self, choose: Callable[[str], None]) -> None:
        super().__init__()
        self._choose = choose
        self.tabs: tuple[Tab, ...] = ()
        self.active = ""
        self._spans: list[tuple[int, int, str]] = []

    def segments(self, width: int) -> list[Segment]:
        """Return the tabs that fit."""
        told = [f"{tab.told} " if tab.told else "" for tab in self.tabs]
        labels = [f" {tab.digit} {tab.title} " for tab in self.tabs]
        bare = sum(map(cells, labels))
        at = next((at for at, tab in enumerate(self.tabs) if tab.key == self.active), 0)
        # What tells of trouble comes first where not all that is told has room.
        order = sorted(range(len(told)), key=lambda one: (not self.tabs[one].bad, one != at, one))
        for one in order:
            if bare + cells(told[one]) > width:
                told[one] = ""
            bare += cells(told[one])
        if bare > width:
            labels = [label[:-1] for label in labels]
        sizes = [cells(label) + cells(more) for label, more in zip(labels, told, strict=True)]
        first, last = _window(sizes, at, width if sum(sizes) <= width else width - 4)
        out = [Segment("‹ " if first else "", theme.RULE)]  # noqa: RUF001
        x = 2 if first else 0
        self._spans = []
        for number in range(first, last):
            label, key = labels[number], self.tabs[number].key
            tab = self.tabs[number]
            style = theme.ACTIVE if key == self.active else theme.DIM if tab.empty else theme.PLAIN
            out.append(Segment(label, style))
            if told[number]:
                out.append(Segment(told[number], style if key == self.active else theme.BAD if tab.bad else theme.DIM))
            self._spans.append((x, x + sizes[number], key))
            x += sizes[number]
        out.append(Segment(" ›" if last < len(labels) else "", theme.RULE))  # noqa: RUF001
        return out

    def on_click(self, event: events.Click) -> None:
        """Go to the pane."""
        event.stop()
        for start, end, key in self._spans:
            if start <= event.x < end:
                self._choose(key)


def _window(sizes: Sequence[int], at: int, room: int) -> tuple[int, int]:
    """Return the range of items that fits into the room and holds `at`, from the first on where it can."""
    first = 0
    while first < at and sum(sizes[first : at + 1]) > room:
        first += 1
    last = first
    while last < len(sizes) and sum(sizes[first : last + 1]) <= room:
        last += 1
    return first, max(last, min(at + 1, len(sizes)))


class Status(Bar):
    """Where one is, among what else the tab has; at the right what is being read, or what just happened."""

    def __init__(
        self,
        crumbs: Callable[[], Sequence[str]],
        notes: Callable[[], Sequence[str]],
        views: Callable[[], Sequence[tuple[str, str, bool]]],
        choose: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._crumbs, self._notes, self._views, self._choose = crumbs, notes, views, choose
        self._spans: list[tuple[int, int, str]] = []
        self.said = ""  # a message that stays for some seconds
        self.failed = False
        self.told: Callable[[], None] = lambda: None  # called where the line below may show the rest of a message
        self._timer: Timer | None = None

    def say(self, text: str, failed: bool = False) -> None:
        """Show a message for a while."""
        if text != self.said or failed != self.failed:
            self.said, self.failed = text, failed
            self.renew()
            self.told()
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(SAID_SECONDS, self.quiet) if text else None

    def quiet(self) -> None:
        """Take the message away."""
        self.say("")

    def rest(self, width: int) -> str:
        """Return what a message says beyond this line; an empty text where it fits."""
        return self._broken(width)[1]

    def _broken(self, width: int) -> tuple[str, str]:
        """Return a message that is too long for a line in two parts, between words; a short one and nothing."""
        said, room = clean(self.said), width - 3
        if cells(said) <= room:
            return said, ""
        at = next(
            (n for n in range(min(len(said) - 1, room), 0, -1) if said[n] == " " and cells(said[:n]) <= room), room
        )
        return said[:at], said[at:].strip()

    def segments(self, width: int) -> list[Segment]:
        """Return the breadcrumbs, or the views of the tab, and the notes; of a long message that alone."""
        first, rest = self._broken(width)
        if self.said and (rest or cells(first) > width // 2):
            self._spans = []
            style = theme.BAD if self.failed else theme.BOLD
            return [Segment(" "), Segment(fit(first, width - 2), style), Segment(" ")]
        crumbs, views = [clean(crumb) for crumb in self._crumbs()], self._views()
        left = " " + " › ".join(crumbs)  # noqa: RUF001
        wide = sum(cells(title) + 2 for _, title, _ in views) if len(views) > 1 else cells(left)
        right = clean(self.said) if self.said else SEPARATOR.join(clean(note) for note in self._notes() if note)
        room = max(0, width - min(wide, width // 2) - 3)
        if cells(right) > room:
            right = fit(right, room)
        style = (theme.BAD if self.failed else theme.BOLD) if self.said else theme.PLAIN
        room = width - cells(right) - 1
        self._spans = []
        out = self._views_in(views, room) if len(views) > 1 else [Segment(fit(left, room), theme.PLAIN)]
        return [*out, Segment(right, style), Segment(" ")]

    def _views_in(self, views: Sequence[tuple[str, str, bool]], room: int) -> list[Segment]:
        """Return the titles of the views, the one that is shown reversed, as many around it as there is room for."""
        labels = [f" {clean(title)} " for _, title, _ in views]
        at = next((at for at, (_, _, here) in enumerate(views) if here), 0)
        sizes = [cells(label) for label in labels]
        first, last = _window(sizes, at, room if sum(sizes) <= room else room - 4)
        out = [Segment("‹ " if first else "", theme.RULE)]  # noqa: RUF001
        x = 2 if first else 0
        for number in range(first, last):
            out.append(Segment(labels[number], theme.ACTIVE if number == at else theme.PLAIN))
            self._spans.append((x, x + sizes[number], views[number][0]))
            x += sizes[number]
        more = " ›" if last < len(views) else ""  # noqa: RUF001
        return [*out, Segment(fit(more, max(0, room - x)), theme.RULE)]

    def on_click(self, event: events.Click) -> None:
        """Go to the view that was clicked."""
        event.stop()
        for start, end, key in self._spans:
            if start <= event.x < end:
                self._choose(key)


class KeyLine(Bar):
    """The keys of this place; a click on one presses it."""

    def __init__(
        self, keys: Callable[[], Sequence[Key]], press: Callable[[Key], None], over: Callable[[int], str]
    ) -> None:
        super().__init__()
        self._keys, self._press, self._over = keys, press, over
        self._spans: list[tuple[int, int, Key]] = []

    def segments(self, width: int) -> list[Segment]:
        """Return as many keys as fit; the help and the way out always do. The rest of a long message comes first."""
        if rest := self._over(width):
            self._spans = []
            return [Segment(" "), Segment(fit(rest, width - 2), theme.BOLD), Segment(" ")]
        shown = [key for key in self._keys() if key.label]
        while len(shown) > 2 and 1 + sum(_size(key) for key in shown) - 2 > width:
            shown.pop(_least(shown))
        out = [Segment(" ")]
        x = 1
        self._spans = []
        for key in shown:
            self._spans.append((x, x + _size(key) - 2, key))
            out += [Segment(key.shown, theme.KEY), Segment(f" {key.label}  ")]
            x += _size(key)
        return out

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        event.stop()
        for start, end, key in self._spans:
            if start <= event.x < end:
                self._press(key)


def _size(key: Key) -> int:
    return cells(key.shown) + len(key.label) + 3


# What goes first where the line is too short.
_DISPENSABLE = ("write", "copy", "next-section", "columns", "oops", "back", "level", "fold-all", "times", "goto")


def _least(shown: Sequence[Key]) -> int:
    for name in _DISPENSABLE:
        for at, key in enumerate(shown):
            if key.name == name:
                return at
    return len(shown) - 3
