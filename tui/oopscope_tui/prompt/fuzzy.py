"""Fuzzy matching: does a pattern's text stand in another, whole or with gaps, and how well."""

from typing import NamedTuple

EXACT, BEGINS, WORD, INSIDE, GAPS = range(5)
LONGEST = 200  # characters of a text that are looked at
SPREAD = 6  # a match with gaps is no longer than so many times its pattern


class Match(NamedTuple):
    """A match: how it fits (EXACT best), where it begins, how long the text is; and the positions that matched."""

    fit: int
    start: int
    length: int
    positions: tuple[int, ...]


def lowered(text: str) -> str:
    """Return a text in lower case, of the same length: some letters grow when lowered."""
    text = text[:LONGEST]
    return text.lower() if text.isascii() else "".join(low if len(low := char.lower()) == 1 else char for char in text)


def match(pattern: str, text: str) -> Match | None:
    """Match a lowered pattern without spaces against a text; None where it does not fit."""
    low = lowered(text)
    size = len(pattern)
    at = low.find(pattern)
    if at < 0:
        return _with_gaps(pattern, low)
    best = at
    while at > 0:  # the beginning of a word is better than the inside of one
        if not low[at - 1].isalnum():
            return Match(WORD, at, len(low), tuple(range(at, at + size)))
        at = low.find(pattern, at + 1)
    if best:
        fit = INSIDE
    else:
        end = low[size : size + 1]
        fit = EXACT if end in ("", " ") else BEGINS
    return Match(fit, best, len(low), tuple(range(best, best + size)))


def _with_gaps(pattern: str, low: str) -> Match | None:
    """Match in order with gaps: forwards to find an end, then backwards from it for the shortest such match."""
    at = -1
    for char in pattern:
        at = low.find(char, at + 1)
        if at < 0:
            return None
    positions: list[int] = []
    at += 1
    for char in reversed(pattern):
        at = low.rfind(char, 0, at)
        positions.append(at)
    positions.reverse()
    if positions[-1] - positions[0] >= SPREAD * len(pattern):
        return None
    return Match(GAPS, positions[-1] - positions[0] + positions[0], len(low), tuple(positions))
