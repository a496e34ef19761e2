"""The times of a log's records: since boot, of the wall clock, or from the crash; what is not known is said.

The log's clock counts from boot; the wall clock is the time of boot and it, and the two may run apart.
"""

from collections.abc import Callable
from datetime import UTC, datetime

TIMES = ("boot", "UTC", "crash")
BILLION = 1_000_000_000
DAY = 86400


class Times:
    """Which times show, and a time as they write it."""

    def __init__(self, boot_time: Callable[[], float | None]) -> None:
        self._boot_time = boot_time
        self.chosen = TIMES[0]
        self.first_ns = self.end_ns = 0
        self.oops_ns: int | None = None

    @property
    def shown(self) -> str:
        """What shows: since boot, where the wall clock is not known."""
        return "boot" if self.chosen == "UTC" and self._boot_time() is None else self.chosen

    @property
    def _dated(self) -> bool:
        """Whether the log goes over midnight."""
        boot = self._boot_time() or 0
        return int((boot + self.first_ns / BILLION) // DAY) != int((boot + self.end_ns / BILLION) // DAY)

    @property
    def width(self) -> int:
        """The cells of a time."""
        return (18 if self._dated else 15) if self.shown == "UTC" else 13

    def turn(self) -> str:
        """Show the next kind; return what is to be said of it."""
        self.chosen = TIMES[(TIMES.index(self.chosen) + 1) % len(TIMES)]
        if self.chosen == "UTC" and self._boot_time() is None:
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
        boot = self._boot_time()
        if self.shown == "UTC" and boot is not None:
            return self._wall(boot + ns / BILLION)
        if self.shown == "crash":
            return f"{(ns - (self.end_ns if self.oops_ns is None else self.oops_ns)) / BILLION:+13.6f}"[:13]
        return f"{ns // BILLION:6d}.{ns % BILLION // 1000:06d}"

    def _wall(self, seconds: float) -> str:
        try:
            when = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return "?".ljust(self.width)
        if self._dated:
            return f"{when:%m-%d %H:%M:%S}.{when.microsecond // 1000:03d}"
        return f"{when:%H:%M:%S}.{when.microsecond:06d}"
