"""Sums of which a part may not be in the dump."""


def added(parts: list[int | None]) -> int | None:
    """Return a sum; None where a part of it is not known."""
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
