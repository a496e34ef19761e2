"""Findings in a person's words: how long before the end, how grave, what."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oopscope.report.cells import duration

Data = Mapping[str, Any]
MARKS = {"error": "! ", "warning": "- ", "note": "  "}
HEADING = "What else was wrong"


def listed(found: Iterable[Data]) -> Iterator[tuple[Data, str, str]]:
    """Yield each finding with its age and its text."""
    for one in found:
        yield one, age(one), sentence(one["text"])


def age(one: Data) -> str:
    """Return how long before the end it was, or for how long it has been so."""
    seconds = one["age_seconds"]
    return "" if seconds is None else "at the end" if seconds == 0 else f"{duration(seconds)} before"


def sentence(text: str) -> str:
    """Return a clause as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}."
