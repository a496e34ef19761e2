"""What a guest said of itself, part by part, as `NAME.account.txt` beside its dump holds it."""

from functools import cache
from pathlib import Path
from typing import Any

from stored import DUMPS, STORE


@cache
def account(name: str) -> Any:
    """Return the lines of each part of a guest's account."""
    parts, lines = {}, []  # type: ignore[var-annotated]
    for line in _place(name).read_text().splitlines():
        if line.startswith("=== TRUTH "):
            lines = parts[line.removeprefix("=== TRUTH ")] = []
        else:
            lines.append(line)
    return parts


def _place(name: str) -> Path:
    """Return where a guest's account lies: beside its dump, or with the lives of other kernels."""
    beside = DUMPS / f"{name}.account.txt"
    return beside if beside.exists() else STORE / "lives" / f"{name}.account.txt"
