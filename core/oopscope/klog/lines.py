"""The log as rows: a record, or a line of one that has several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class LogRow(Protocol):
    """A record of the log, or a line of one that has several."""

    @property
    def index(self) -> int:
        """The record's place in the log, from 0."""

    @property
    def ns(self) -> int | None:
        """Nanoseconds since boot."""

    @property
    def level(self) -> int | None:
        """0 emergency to 7 debug."""

    @property
    def facility(self) -> int | None:
        """0 the kernel; another: a program wrote it."""

    @property
    def caller(self) -> str | None:
        """T123 (a task) or C1 (a CPU)."""

    @property
    def text(self) -> str:
        """What is said."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a log record that has several."""

    index: int
    ns: int | None
    level: int | None
    facility: int | None
    caller: str | None
    text: str
    first: bool


def log_lines(rows: Sequence[LogRow]) -> Sequence[LogRow]:
    """Return log records as lines; a record of one line is its own."""
    if not any("\n" in (row.text or "") for row in rows):
        return rows
    out: list[LogRow] = []
    for row in rows:
        text = row.text or ""
        if "\n" not in text:
            out.append(row)
            continue
        for at, part in enumerate(text.rstrip("\n").split("\n")):
            out.append(LogLine(row.index, row.ns, row.level, row.facility, row.caller, part, at == 0))
    return out
