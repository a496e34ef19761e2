"""Memory: where it went, each zone against its watermarks, the largest users, and what of it the dump holds."""

from collections.abc import Sequence
from heapq import nlargest
from typing import TYPE_CHECKING

from rich.style import Style

from oopscope_tui.look import theme
from oopscope_tui.look.text import ABSENT, clean, fit
from oopscope_tui.look.values import human_bytes
from oopscope_tui.panes.base import Pane, empty
from oopscope_tui.panes.memory_strip import CELLS, held_lines
from oopscope_tui.places import Place
from oopscope_tui.reading.store import Feed
from oopscope_tui.widgets.lines import Lines
from oopscope_tui.widgets.textview import BLANK, Line, Part, TextView, heading, line, wrapped

if TYPE_CHECKING:
    from oopscope_tui.reading.rows import Task, Zone

LARGEST = 12
HALF = 0.5  # of all memory: a share that is larger is marked
NAME = 18  # cells of a share's name
BESIDES = ("SwapCached", "Dirty", "Writeback", "Mlocked", "Committed_AS")
FREELY = {
    "MemFree",
    "Cached",
    "SReclaimable",
}  # shares by their counters: what the kernel gives up when it needs memory


class Memory(Pane):
    """Bars; on a wide screen the largest users beside them."""

    NARROW = "never"
    SHARE = 50
    needs = ("meminfo", "zones", "slabs", "tasks", "coverage")

    def make_main(self) -> Lines:
        """Return a text."""
        view = TextView("Memory", id="main-memory")
        view.show(self._text)
        return view

    def refill(self) -> None:
        """Ask for what no table tells, and make the texts anew."""
        assert isinstance(self.main, TextView)
        self.scope.ask("memory-shares", 0)
        self.scope.ask("strip", CELLS)
        self.scope.ask("swapped", self._swapping())
        self.main.rebuild()

    def _swapping(self) -> tuple[int, ...] | None:
        """The addresses of the largest processes, where the machine swaps and all tasks are known."""
        swaps = any(row.name == "SwapTotal" and row.bytes for row in self.store.counters)
        known = swaps and self.store.feed("tasks").state == "done"
        return tuple(row.address for row in self._largest_tasks()) if known else None

    def place_views(self) -> None:
        """What stands beside on a wide screen follows on a narrow one."""
        super().place_views()
        self.refill()

    def _text(self, width: int) -> list[Line]:
        lines = [*self._meminfo(width), BLANK, *self._zones(width)]
        last = [BLANK, *held_lines(self.store, width), BLANK, *self._besides(width)]
        return [*lines, *last] if self.beside else [*lines, BLANK, *self.detail(width), *last]

    def detail_title(self) -> str:
        """Return the title of the largest."""
        return "Largest"

    def detail(self, width: int) -> Sequence[Line]:
        """Return the largest processes and slab caches."""
        return [*self._tasks(width), BLANK, *self._slabs(width)]

    def here(self) -> Place:
        """Return the pane; it has no rows."""
        return Place(self.key, None, self.opened)

    def crumbs(self) -> list[str]:
        """Return the pane."""
        return [self.title]

    def _meminfo(self, width: int) -> list[Line]:
        answer = self.store.answer("memory-shares", 0)
        if answer is None or answer.value is None:
            return [heading(" Memory"), *empty(answer.why if answer else "reading", width)]
        total, shares, over = answer.value
        values = {row.name: row.bytes for row in self.store.counters}
        available = values.get("MemAvailable")
        text = f"  {human_bytes(total)} in all" + ("" if available is None else f", {human_bytes(available)} available")
        lines = [line((" Memory", theme.TITLE), text, link=Place("meminfo", "MemAvailable", True))]
        for share in shares:
            much = share.bytes is not None and share.bytes > total * HALF and share.counter not in FREELY
            style = theme.DOUBT if much else theme.DIM if share.name.startswith("Free") else theme.PLAIN
            link = Place("meminfo", share.counter, True) if share.counter else None
            lines.append(share_line(share.name, share.bytes, total, width, style, link, "► " if much else ""))
        if over:
            lines += wrapped(
                f"the counters exceed the total by {human_bytes(over)}", width, theme.DOUBT, "   ! ", "     "
            )
        return [*lines, *self._swap(total, width), *self.problem_lines("meminfo", width)]

    def _besides(self, width: int) -> list[Line]:
        """Counters that are no shares: each is in one of them, or a limit."""
        values = {row.name: row.bytes for row in self.store.counters}
        total = values.get("MemTotal")
        if not total:
            return []
        lines = [heading(" Besides")]
        for name in BESIDES:
            if values.get(name):
                lines.append(share_line(name, values.get(name), total, width, link=Place("meminfo", name, True)))
        return lines

    def _swap(self, memory: int, width: int) -> list[Line]:
        values = {row.name: row.bytes for row in self.store.counters}
        total, free = values.get("SwapTotal"), values.get("SwapFree")
        if not total:
            return [
                line("   ", fit("Swap", NAME), (f"{'none':>6}", theme.DIM), link=Place("meminfo", "SwapTotal", True))
            ]
        used = total - free if free is not None else None
        much = used is not None and used > total * 0.9
        style, sign = (theme.DOUBT, "► ") if much else (theme.PLAIN, "")
        title = f"Swap of {human_bytes(total)}"
        return [share_line(title, used, total, width, style, Place("meminfo", "SwapFree", True), sign)]

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
            node = getattr(zone, "node", None)
            key = zone.name or "" if node is None else f"{node} {zone.name or ''}"
            lines.append(zone_line(zone, width)._replace(link=Place("zones", key, True)))
        return lines

    def _slabs(self, width: int) -> list[Line]:
        feed = self.store.feed("slabs")
        lines = [line((" Largest slab caches", theme.TITLE), link=Place("slabs"))]
        rows = nlargest(LARGEST, (row for row in feed.rows if row.bytes), key=lambda row: row.bytes)
        if not rows:
            return [*lines, *_waiting(feed, width)]
        most = rows[0].bytes
        for row in rows:
            full = f"{100 * row.active // row.total:3d} % full" if row.active is not None and row.total else ""
            lines.append(user_line(row.name, row.bytes, most, width, full, Place("slabs", row.name, True)))
        return [*lines, *self.problem_lines("slabs", width)]

    def _largest_tasks(self) -> "list[Task]":
        leaders = [row for row in self.store.tasks if row.rss_bytes and row.pid == row.tgid]
        return nlargest(LARGEST, leaders, key=lambda row: row.rss_bytes or 0)

    def _tasks(self, width: int) -> list[Line]:
        feed = self.store.feed("tasks")
        lines = [line((" Largest processes", theme.TITLE), link=Place("tasks"))]
        rows = self._largest_tasks()
        if not rows:
            return [*lines, *(_waiting(feed, width) if not feed.rows else empty("none with memory of its own", width))]
        answer = self.store.answer("swapped", self._swapping())
        swapped = answer.value if answer is not None and answer.value else {}
        for row in rows:
            name, swap = f"{row.pid} {row.comm or ABSENT}", swapped.get(row.address)
            note = f"+{human_bytes(swap)} swap" if swap else ""
            lines.append(
                user_line(name, row.rss_bytes or 0, rows[0].rss_bytes or 0, width, note, Place("tasks", row.pid, True))
            )
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


def share_line(
    name: str, amount: int | None, total: int, width: int, style: Style = theme.PLAIN, link: Place | None = None,
    sign: str = "",
) -> Line:  # fmt: skip
    """Return a share of a whole: name, size, percent, bar; a sign marks one that stands out."""
    lead = f" {sign or '  '}{fit(clean(name), NAME)}"
    if amount is None:
        return line(lead, (f"{ABSENT:>6}", theme.DIM), link=link)
    drawn = bar(amount, total, min(width - 39, 60), style)
    return line((f"{lead}{human_bytes(amount):>6}{100 * amount / total:7.1f} %  ", style), *drawn, link=link)


def user_line(name: str, amount: int, most: int, width: int, note: str, link: Place) -> Line:
    """Return one of the largest users of memory, as long as its share of the largest."""
    room = max(12, min(24, width - 40))
    note = f"{note:>12}" if note else ""
    cells = min(30, width - room - 15 - len(note))
    return line(f"   {fit(clean(name), room)}{human_bytes(amount):>7}{note}  ", *bar(amount, most, cells), link=link)


def zone_line(zone: "Zone", width: int) -> Line:
    """Return a zone's free memory against its watermarks, and what that means."""
    node = f"{zone.node} " if getattr(zone, "node", None) is not None else ""
    amounts = [getattr(zone, name, None) for name in _ZONE_HEADS]
    words = [(f"{human_bytes(amount):>8}" if amount is not None else f"{ABSENT:>8}") for amount in amounts]
    word, style = zone_word(zone)
    parts: list[str | Part] = [f"   {fit(clean(node + (zone.name or '')), 14)}{''.join(words)}  ", (word, style)]
    room = width - 3 - 14 - 40 - 2 - 14
    if room >= 10 and zone.managed and zone.free is not None:
        parts[1] = (fit(word, 12), style)
        parts += bar(zone.free, zone.managed, min(room, 30))
    return line(*parts)


def zone_word(zone: "Zone") -> tuple[str, Style]:
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
