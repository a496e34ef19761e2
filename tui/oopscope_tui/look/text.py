"""Text from a dump, made to fit: cells on the screen, never markup and never an escape sequence."""

import textwrap
from functools import lru_cache

from rich.cells import get_character_cell_size

from oopscope.kernel.kinds import ABSENT as ABSENT
from oopscope.report.cells import printable

LONGEST = 4096  # characters of one value that reach the screen
LONG, FEW = 256, 16  # characters of a text of which the different ones are counted, if they are so few
WHOLE = 1 << 20  # and of one that is copied


def clean(text: str, most: int = LONGEST) -> str:
    """Return text as core's cleaner has it, of what is too long for the screen the beginning."""
    return printable(text[:most] + "…" if len(text) > most else text)


def cells(text: str) -> int:
    """Return how many cells a cleaned text takes."""
    if text.isascii():
        return len(text)
    return _wide_cells(text)


@lru_cache(512)  # what stands on the screen is measured with each painting
def _wide_cells(text: str) -> int:
    chars = set(text) if len(text) > LONG else ()
    if 0 < len(chars) <= FEW:
        return sum(text.count(char) * get_character_cell_size(char) for char in chars)
    return sum(map(get_character_cell_size, text))


def fit(text: str, width: int, right: bool = False) -> str:
    """Return a cleaned text cut (with …) or padded to exactly width cells."""
    if width <= 0:
        return ""
    size = cells(text)
    if size > width:
        return _head(text, width - 1) + "…"
    pad = " " * (width - size)
    return pad + text if right else text + pad


def _head(text: str, width: int) -> str:
    """Return the first `width` cells; a wide character that would be cut in half is a space."""
    if text.isascii():
        return text[:width].ljust(width)
    used = 0
    for at, char in enumerate(text):
        size = get_character_cell_size(char)
        if used + size > width:
            return text[:at] + " " * (width - used)
        used += size
    return text + " " * (width - used)


def crop(text: str, start: int, width: int) -> str:
    """Return the cells [start, start + width) of a cleaned text, padded; a wide character cut in half is a space."""
    if text.isascii():
        return text[start : start + width].ljust(width)
    used = at = 0
    while at < len(text) and used < start:
        used += get_character_cell_size(text[at])
        at += 1
    while at < len(text) and not get_character_cell_size(text[at]):
        at += 1  # marks of what was left out
    return _head(" " * max(0, used - start) + text[at:], width)


def wrap(text: str, width: int) -> list[str]:
    """Return a cleaned text as lines of at most width cells; never an empty list."""
    width = max(8, width)
    if cells(text) <= width:
        return [text]
    if text.isascii():
        return textwrap.wrap(text, width, break_on_hyphens=False, drop_whitespace=True) or [""]
    return _wrap_wide(text, width)


def _wrap_wide(text: str, width: int) -> list[str]:
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        size = cells(word)
        if line and used + 1 + size <= width:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if line:
            lines.append(line)
        while size > width:
            part = _head(word, width).rstrip(" ")
            lines.append(part)
            word, size = word[len(part) :], size - cells(part)
        line, used = word, size
    return [*lines, line]


def plural(count: int, one: str, many: str = "") -> str:
    """Return `1 task`, `2 tasks`, `1,200 tasks`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
