"""Fields of tables compared with a guest's account: how many agree, and which do not."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

Account = dict[str, list[str]]
KERNEL = re.compile(r"\[ *\d+\.\d{6}\] [^\n]*\n")


class Difference(NamedTuple):
    """A field in which a table and the guest differ."""

    table: str
    field: object
    ours: object
    told: object


class Tally:
    """What was compared so far."""

    def __init__(self) -> None:
        self.agree, self.differ, self.unknown = Counter[str](), Counter[str](), Counter[str]()
        self.differences: list[Difference] = []

    def same(self, table: str, field: object, ours: object, told: object) -> bool:
        """Count a field that must be equal; one that the dump does not tell is counted apart."""
        if ours is None and told not in (None, ""):
            self.unknown[table] += 1
        elif ours == told:
            self.agree[table] += 1
        else:
            self._other(Difference(table, field, ours, told))
        return ours == told

    def near(
        self, table: str, field: object, ours: float | None, told: float, share: float = 0.02, slack: float = 0.0
    ) -> None:
        """Count a field that went on while the guest told: equal within a share of it, or so much."""
        if ours is None:
            self.unknown[table] += 1
        elif abs(ours - told) <= max(share * abs(told), slack):
            self.agree[table] += 1
        else:
            self._other(Difference(table, field, ours, told))

    def one(self, table: str, field: object, found: Iterable[Any]) -> Any:
        """Count that exactly one row is of what the guest told, and return it."""
        rows = list(found)
        self.same(table, field, len(rows), 1)
        return rows[0] if len(rows) == 1 else None

    def _other(self, difference: Difference) -> None:
        self.differ[difference.table] += 1
        self.differences.append(difference)

    def lines(self) -> list[str]:
        """Return a line for each table, and one for each difference."""
        tables = sorted({*self.agree, *self.differ, *self.unknown})
        counts = [
            f"{table}: {self.agree[table]} agree, {self.differ[table]} differ, {self.unknown[table]} not told"
            for table in tables
        ]
        total = f"in all: {self.agree.total()} agree, {self.differ.total()} differ, {self.unknown.total()} not told"
        return [
            *counts,
            total,
            *(f"    {one.table} {one.field}: {one.ours!r}, told {one.told!r}" for one in self.differences),
        ]


def account_of(path: Path) -> Account:
    """Return the lines of each part of what a guest printed on its console; what its kernel said amid them goes."""
    parts: Account = {}
    lines: list[str] = []
    for line in KERNEL.sub("", path.read_text(errors="replace").replace("\r", "")).split("\n"):
        if line.startswith("=== TRUTH "):
            lines = parts.setdefault(line.removeprefix("=== TRUTH ").strip(), [])
        else:
            lines.append(line)
    return parts
