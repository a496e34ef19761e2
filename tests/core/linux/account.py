"""What a guest said of itself, part by part, as `NAME.account.txt` beside its dump holds it."""

from functools import cache
from typing import Any

from stored import DUMPS


@cache
def account(name: str) -> Any:
    """Return the lines of each part of a guest's account."""
    parts, lines = {}, []  # type: ignore[var-annotated]
    for line in (DUMPS / f"{name}.account.txt").read_text().splitlines():
        if line.startswith("=== TRUTH "):
            lines = parts[line.removeprefix("=== TRUTH ")] = []
        else:
            lines.append(line)
    return parts
