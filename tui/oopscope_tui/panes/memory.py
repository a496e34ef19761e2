"""Memory: where it went, each zone against its watermarks, the largest slab caches and processes."""

from collections.abc import Sequence
from typing import Any

from rich.style import Style

from oopscope_tui import theme
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.places import Place
from oopscope_tui.store import Feed
from oopscope_tui.text import ABSENT, clean, fit
from oopscope_tui.values import human_bytes
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, Part, TextView, heading, line, wrapped

LARGEST = 12
# How MemTotal divides, in the names of /proc/meminfo; what these leave is the last line.
SHARES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Free", ("MemFree",)),
    ("Page cache", ("Cached", "Buffers")),
    ("Anonymous", ("AnonPages",)),
    ("Slab", ("Slab",)),
    ("Kernel stacks", ("KernelStack",)),
    ("Page tables", ("PageTables",)),
)
BESIDES = ("MemAvailable", "Shmem", "SUnreclaim", "Dirty", "Writeback", "Mlocked", "Committed_AS")


class Memory(Pane):
    """Bars; on a wide screen the largest users beside them."""

    NARROW = "never"
    SHARE = 50
    needs = ("meminfo", "zones", "slabs", "tasks")

    def make_main(self) -> Lines:
        """Return a text."""
        view = TextView("Memory", id="main-memory")
        view.show(self._text)
        return view

    def refill(self) -> None:
        """Make the texts anew."""
        assert isinstance(self.main, TextView)
        self.main.rebuild()

    def place_views(self) -> None:
        """What stands beside on a wide screen follows on a narrow one."""
        super().place_views()
        self.refill()

    def _text(self, width: int) -> list[Line]:
        lines = [*self._meminfo(width), BLANK, *self._zones(width)]
        return lines if self.beside else [*lines, BLANK, *self.detail(width)]

    def detail_title(self) -> str:
        """Return the title of the largest."""
        return "Largest"

    def detail(self, width: int) -> Sequence[Line]:
        """Return the largest slab caches and processes."""
        return [*self._slabs(width), BLANK, *self._tasks(width)]

    def here(self) -> Place:
        """Return the pane; it has no rows."""
        return Place(self.key, None, self.opened)

    def crumbs(self) -> list[str]:
        """Return the pane."""
        return [self.title]

    def _meminfo(self, width: int) -> list[Line]:
        feed = self.store.feed("meminfo")
        values = {row.name: row.bytes for row in feed.rows}
        total = values.get("MemTotal")
        if not total:
            return [heading(" Memory"), *_waiting(feed, width)]
        lines = [line((" Memory", theme.TITLE), f"  {human_bytes(total)} in all", link=Place("meminfo"))]
        rest = total
        for name, sources in SHARES:
            found = [values[source] for source in sources if values.get(source) is not None]
            amount = sum(found) if found else None
            rest -= amount or 0
            lines.append(share_line(name, amount, total, width, theme.DIM if name == "Free" else theme.PLAIN))
        lines.append(share_line("Other kernel", max(rest, 0), total, width))
        lines += [BLANK, heading(" Besides")]
        for name in BESIDES:
            if name in values:
                lines.append(share_line(name, values[name], total, width))
        return [*lines, *self._swap(values, width), *self.problem_lines("meminfo", width)]

    def _swap(self, values: dict[str, int | None], width: int) -> list[Line]:
        total, free = values.get("SwapTotal"), values.get("SwapFree")
        if not total:
            return [line("   ", fit("Swap", 14), (f"{'none':>7}", theme.DIM))]
        used = total - (free or 0) if free is not None else None
        return [
            share_line("Swap used", used, total, width, theme.DOUBT if used and used > total * 0.9 else theme.PLAIN)
        ]

    def _zones(self, width: int) -> list[Line]:
        feed = self.store.feed("zones")
        lines = [
            line((" Zones", theme.TITLE), "  free memory against the watermarks", link=Place("zones"))
            if feed.rows
            else heading(" Zones")
        ]
        if not feed.rows:
            return [*lines, *_waiting(feed, width)]
        lines.append(line(("   " + fit("zone", 14) + "".join(fit(word, 8, True) for word in _ZONE_HEADS), theme.DIM)))
        for zone in feed.rows:
            lines.append(zone_line(zone, width))
        return lines

    def _slabs(self, width: int) -> list[Line]:
        feed = self.store.feed("slabs")
        lines = [line((" Largest slab caches", theme.TITLE), link=Place("slabs"))]
        rows = sorted((row for row in feed.rows if row.bytes), key=lambda row: -row.bytes)[:LARGEST]
        if not rows:
            return [*lines, *_waiting(feed, width)]
        most = rows[0].bytes
        for row in rows:
            full = f"{100 * row.active // row.total:3d} % full" if row.active is not None and row.total else ""
            lines.append(user_line(row.name, row.bytes, most, width, full, Place("slabs", row.name, True)))
        return [*lines, *self.problem_lines("slabs", width)]

    def _tasks(self, width: int) -> list[Line]:
        feed = self.store.feed("tasks")
        lines = [line((" Largest processes", theme.TITLE), link=Place("tasks"))]
        leaders = [row for row in feed.rows if row.rss_bytes and row.pid == row.tgid]
        rows = sorted(leaders, key=lambda row: -row.rss_bytes)[:LARGEST]
        if not rows:
            return [*lines, *(_waiting(feed, width) if not feed.rows else empty("none with memory of its own", width))]
        most = rows[0].rss_bytes
        for row in rows:
            name = f"{row.pid} {row.comm}"
            lines.append(user_line(name, row.rss_bytes, most, width, "", Place("tasks", row.pid, True)))
        return lines


_ZONE_HEADS = ("free", "min", "low", "high", "managed")


def _waiting(feed: Feed, width: int) -> list[Line]:
    return wrapped(feed.note, width, theme.DOUBT if feed.state == "failed" else theme.DIM, "   ", "   ")


def bar(amount: float, total: float, cells: int, style: Style = theme.PLAIN) -> list[Part]:
    """Return a bar on its track, of so many cells; anything at all shows."""
    if cells <= 0 or total <= 0:
        return []
    full = min(max(round(cells * amount / total), 1 if amount > 0 else 0), cells)
    return [("■" * full, style), ("·" * (cells - full), theme.DIM)]


def share_line(name: str, amount: int | None, total: int, width: int, style: Style = theme.PLAIN) -> Line:
    """Return a share of a whole: name, size, percent, bar."""
    if amount is None:
        return line("   ", fit(name, 14), (f"{ABSENT:>7}", theme.DIM))
    percent = f"{100 * amount / total:5.1f} %"
    drawn = bar(amount, total, min(width - 36, 60), style)
    return line(f"   {fit(name, 14)}{human_bytes(amount):>7}{percent:>9}  ", *drawn)


def user_line(name: str, amount: int, most: int, width: int, note: str, link: Place) -> Line:
    """Return one of the largest users of memory, as long as its share of the largest."""
    room = max(12, min(24, width - 40))
    note = f"{note:>12}" if note else ""
    cells = min(30, width - room - 15 - len(note))
    return line(f"   {fit(clean(name), room)}{human_bytes(amount):>7}{note}  ", *bar(amount, most, cells), link=link)


def zone_line(zone: Any, width: int) -> Line:
    """Return a zone's free memory against its watermarks, and what that means."""
    node = f"{zone.node} " if getattr(zone, "node", None) is not None else ""
    amounts = [getattr(zone, name, None) for name in _ZONE_HEADS]
    words = [(f"{human_bytes(amount):>8}" if amount is not None else f"{ABSENT:>8}") for amount in amounts]
    word, style = zone_word(zone)
    parts: list[Any] = [f"   {fit(clean(node + (zone.name or '')), 14)}{''.join(words)}  ", (word, style)]
    room = width - 3 - 14 - 40 - 2 - 14
    if room >= 10 and zone.managed and zone.free is not None:
        parts[1] = (fit(word, 12), style)
        parts += bar(zone.free, zone.managed, min(room, 30))
    return line(*parts)


def zone_word(zone: Any) -> tuple[str, Style]:
    """Return how a zone stands: what the page allocator would have done."""
    free = zone.free
    if not zone.managed:
        return "empty", theme.DIM
    for mark, word, style in (("min", "below min!", theme.BAD), ("low", "below low", theme.DOUBT)):
        limit = getattr(zone, mark, None)
        if free is not None and limit and free < limit:
            return word, style
    return "ok", theme.PLAIN


PANE = Memory
