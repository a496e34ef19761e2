"""Times as the kernel's log prints them: seconds and microseconds, what is below a microsecond cut off, never rounded.

Follows print_time() of kernel/printk/printk.c. Every place that shows a record's time takes it from here.
"""

from datetime import UTC, datetime, timedelta

SECOND, MICRO = 1_000_000_000, 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(ns: int, width: int = 0) -> str:
    """Return nanoseconds since boot as printk writes them, the seconds padded to a width."""
    return f"{ns // SECOND:{width}d}.{ns % SECOND // MICRO:06d}"


def difference(later: int, earlier: int) -> str:
    """Return the time between two records with its sign, as the difference of what is printed of both."""
    micros = later // MICRO - earlier // MICRO
    whole, part = divmod(abs(micros), SECOND // MICRO)
    return f"{'-' if micros < 0 else '+'}{whole}.{part:06d}"


def moment(ns: int) -> datetime | None:
    """Return nanoseconds since 1970 as a time of day in UTC; None for what is no time."""
    try:
        return _EPOCH + timedelta(microseconds=ns // MICRO)
    except OverflowError:
        return None


def iso(ns: int | None) -> str | None:
    """Return nanoseconds since 1970 as ISO 8601 in whole seconds; None for what is no time."""
    if not ns or not 0 < ns < SECOND << 34:
        return None
    when = moment(ns)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None
