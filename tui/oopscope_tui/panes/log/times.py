"""The times of a log's records: since boot, of the wall clock, or from the crash; what is not known is said.

The log's clock counts from boot; the wall clock is the time of boot and it, and the two may run apart.
"""

from collections.abc import Callable

from oopscope.kernel.clock import SECOND, difference, moment, seconds

TIMES = ("boot", "UTC", "crash")
DAY = 86400 * SECOND


class Times:
    """Which times show, and a time as they write it."""

    def __init__(self, epoch: Callable[[], int | None]) -> None:
        """Take what tells when the log's clock was 0, in nanoseconds since 1970."""
        self._epoch = epoch
        self.chosen = TIMES[0]
        self.first_ns = self.end_ns = 0
        self.oops_ns: int | None = None

    @property
    def shown(self) -> str:
        """What shows: since boot, where the wall clock is not known."""
        return "boot" if self.chosen == "UTC" and self._epoch() is None else self.chosen

    @property
    def _dated(self) -> bool:
        """Whether the log goes over midnight."""
        epoch = self._epoch() or 0
        return (epoch + self.first_ns) // DAY != (epoch + self.end_ns) // DAY

    @property
    def width(self) -> int:
        """The cells of a time."""
        return (18 if self._dated else 15) if self.shown == "UTC" else 13

    def turn(self) -> str:
        """Show the next kind; return what is to be said of it."""
        self.chosen = TIMES[(TIMES.index(self.chosen) + 1) % len(TIMES)]
        if self.chosen == "UTC" and self._epoch() is None:
            self.chosen = "crash"
            return "the wall clock is not known, so no UTC"
        return ""

    def words(self) -> str:
        """Return what kind shows."""
        if self.shown != self.chosen:
            return "times since boot, the wall clock is not known"
        if self.shown == "crash":
            return "times from the oops" if self.oops_ns is not None else "times before the log's end"
        return "times UTC" if self.shown == "UTC" else "times since boot"

    def stamp(self, ns: int | None) -> str:
        """Return a time in `width` cells, blank where none was recorded."""
        if ns is None:
            return " " * self.width
        epoch = self._epoch()
        if self.shown == "UTC" and epoch is not None:
            return self._wall(epoch + ns)
        if self.shown == "crash":
            return f"{difference(ns, self.end_ns if self.oops_ns is None else self.oops_ns):>13}"[:13]
        return seconds(ns, 6)

    def _wall(self, ns: int) -> str:
        when = moment(ns)
        if when is None:
            return "?".ljust(self.width)
        if self._dated:
            return f"{when:%m-%d %H:%M:%S}.{when.microsecond // 1000:03d}"
        return f"{when:%H:%M:%S}.{when.microsecond:06d}"
