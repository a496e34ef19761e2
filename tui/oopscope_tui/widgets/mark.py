"""Highlighting: the matches of a pattern in a line's segments."""

import re
from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style

MOST = 200  # matches painted in one line


def mark(segments: Iterable[Segment], pattern: re.Pattern[str], style: Style, skip: int = 0) -> list[Segment]:
    """Return the segments with every match after `skip` characters in `style`; matches may span segments."""
    segments = list(segments)
    spans: list[tuple[int, int]] = []
    for match in pattern.finditer("".join(segment.text for segment in segments)[skip:]):
        if match.end() > match.start():
            spans.append((match.start() + skip, match.end() + skip))
        if len(spans) >= MOST:
            break
    if not spans:
        return segments
    out: list[Segment] = []
    at = 0
    for text, own, _ in segments:
        out.extend(_cut(text, own, at, spans, style))
        at += len(text)
    return out


def _cut(text: str, own: Style | None, at: int, spans: list[tuple[int, int]], style: Style) -> Iterable[Segment]:
    done = 0
    for start, end in spans:
        start, end = max(start - at, done), min(end - at, len(text))
        if start >= end:
            continue
        if start > done:
            yield Segment(text[done:start], own)
        yield Segment(text[start:end], style)
        done = end
    if done < len(text):
        yield Segment(text[done:], own)
