"""Text from a dump, made safe and made to fit: cells on the screen, never markup and never an escape sequence.

Everything in a dump is hostile. What would move the cursor, hide, reverse or overprint becomes a visible stand-in:
the control pictures U+2400..U+2421 for the C0 set, \\u202e and the like for the rest.
"""

import textwrap
from unicodedata import category

from rich.cells import get_character_cell_size

from oopscope.kernel.kinds import ABSENT as ABSENT

MARKS = 3  # combining marks kept on one base character; more is a way to draw over the neighbours
LONGEST = 4096  # characters of one value that reach the screen
WHOLE = 1 << 20  # and of one that is copied


def clean(text: str, most: int = LONGEST) -> str:
    """Return text with every character that is not plainly visible replaced by a stand-in."""
    if len(text) > most:
        text = text[:most] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(_stand_ins(text))


def _stand_ins(text: str) -> list[str]:
    out: list[str] = []
    marks = 0
    for char in text:
        code = ord(char)
        if code < 0x7F:
            marks = 0
            out.append(char if code >= 0x20 else chr(0x2400 + code))
            continue
        kind = category(char)
        if kind == "Zs":
            out.append(" ")
        elif kind[0] in "CZ" or _joins(code):
            out.append(_named(code))
        elif get_character_cell_size(char):
            marks = 0
            out.append(char)
            continue
        else:  # it takes no cell of its own
            marks += 1
            if marks <= MARKS:
                out.append(char if out else "·")
    return out


def _joins(code: int) -> bool:
    """Tell what terminals merge with its neighbours, each in its own way: selectors, skin tones, flags, keycaps."""
    return 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF or 0x1F1E6 <= code <= 0x1F1FF or code == 0x20E3


def _named(code: int) -> str:
    if code == 0x7F:
        return "␡"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, as surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def cells(text: str) -> int:
    """Return how many cells a cleaned text takes."""
    return len(text) if text.isascii() else sum(map(get_character_cell_size, text))


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
            word = word[len(part) :]
            size = cells(word)
        line, used = word, size
    return [*lines, line]


def plural(count: int, one: str, many: str = "") -> str:
    """Return `1 task`, `2 tasks`, `1,200 tasks`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
