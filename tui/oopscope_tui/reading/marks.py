"""What the tabs tell of what is behind them: how many, and a sign where something is wrong; or that nothing is there.

Rows are counted once each, as they come. A table that nobody made a mark for is counted by its rows.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from oopscope_tui.reading.store import Store

BLOCKED, WRONG, CIRCLE, FLIGHT = "◆", "✗", "⟲", "▸"
LARGE = 1000


class Mark(NamedTuple):
    """What stands behind a tab's title, whether it tells of trouble, whether the place is empty."""

    text: str = ""
    bad: bool = False
    empty: bool = False


class Marks:
    """The marks of the tabs of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._counts: dict[str, tuple[int, int]] = {}

    def count(self, what: str, key: str, test: Callable[[Any], bool]) -> int:
        """Count a table's rows that pass a test, looking at each once."""
        rows = self.store.feed(key).rows
        seen, found = self._counts.get(what, (0, 0))
        if seen < len(rows):
            found += sum(1 for row in rows[seen:] if test(row))
            self._counts[what] = (len(rows), found)
        return found

    def of(self, group: str, keys: Sequence[str]) -> Mark:
        """Return the mark of a tab whose views are these."""
        made = getattr(self, f"_{group}", None)
        mark: Mark = made() if made is not None else Mark()
        feeds = [self.store.feed(key) for key in keys]
        known = [feed for feed in feeds if feed.table is not None or feed.key == "problems"]
        nothing = bool(known) and all(feed.state in ("done", "failed", "absent") and not feed.rows for feed in known)
        return mark._replace(empty=nothing and not mark.text)

    def _cpus(self) -> Mark:
        return Mark(_short(len(self.store.cpus)))

    def _tasks(self) -> Mark:
        blocked = self.count("blocked", "tasks", lambda row: row.state == "D")
        many = _short(len(self.store.tasks))
        return Mark(f"{many} {BLOCKED}{_short(blocked)}D" if blocked else many, bool(blocked))

    def _memory(self) -> Mark:
        values = {row.name: row.bytes for row in self.store.counters if hasattr(row, "bytes")}
        total, free = values.get("MemTotal"), values.get("MemAvailable")
        if not total or free is None:
            return Mark()
        share = 100 * free // total
        return Mark(f"{share}%free", share < 5)

    def _log(self) -> Mark:
        wrong = self.count("errors", "log", lambda row: row.level is not None and row.level <= 3)
        return Mark(f"{_short(wrong)}{WRONG}" if wrong else "", bool(wrong))

    def _io(self) -> Mark:
        flight = len(self.store.feed("requests").rows)
        return Mark(f"{_short(flight)}{FLIGHT}" if flight else "")

    def _waits(self) -> Mark:
        inside = self.count("circle", "waits", lambda row: bool(getattr(row, "circle", False)))
        circles = len({getattr(row, "ring", None) for row in self.store.waits if row.circle}) if inside else 0
        many = _short(len(self.store.waits))
        return Mark(f"{CIRCLE}{_short(circles)}" if circles else many, bool(circles))

    def _network(self) -> Mark:
        return Mark(_short(len(self.store.feed("sockets").rows)))

    def _system(self) -> Mark:
        return Mark(f"{_short(len(self.store.problems))}!" if self.store.problems else "")


def _short(count: int) -> str:
    """Return a count in few cells; nothing for none."""
    if not count:
        return ""
    return str(count) if count < LARGE else f"{count // LARGE}k" if count < LARGE * LARGE else f"{count // LARGE**2}M"
