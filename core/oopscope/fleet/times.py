"""Times as numbers, so that dumps can be sorted by when they crashed."""

from datetime import UTC, datetime
from typing import Any


def epoch(value: Any) -> float | None:
    """Return a time as seconds since 1970, from ISO 8601 text, a datetime or a number."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
