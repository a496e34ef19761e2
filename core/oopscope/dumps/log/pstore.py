"""A log that the kernel kept in firmware or RAM: pstore's files, several parts of one log, the newest part first.

Follows fs/pstore/{platform,ram}.c and drivers/firmware/efi/efi-pstore.c: each part begins with `Panic#2 Part3`, part 1
holds the end of the log; ramoops puts a line `====1700000000.123456-D` before that. EFI's names hold the time of the
crash, the part and the count; those of ERST and ramoops are numbered as they were written.
"""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from oopscope.lazy_re import lazy_re

NAME = lazy_re(r"dmesg-(?P<backend>[a-z_]+\d*)-(?P<id>\d{1,18})(?P<packed>\.enc\.z)?$")
_HEAD = (
    r"(?:====\d+\.\d+(?:-[CD])?\n)?(?P<reason>Panic|Oops|Emergency|Shutdown|Unknown|Reboot|"
    r"Halt)#(?P<count>\d{1,18}) Part ?(?P<part>\d{1,18})\n"
)
HEAD = lazy_re(_HEAD)
HEAD_LINE = lazy_re(f"^{_HEAD}", re.MULTILINE)
MOST = 4096  # files of a folder that are looked at


class Part(NamedTuple):
    """What the first line of a part says."""

    reason: str
    crash: int
    number: int


def part_of(text: str) -> Part | None:
    """Return which part a text is; None for none of pstore's."""
    found = HEAD.match(text)
    return Part(found["reason"], int(found["count"]), int(found["part"])) if found else None


def pieces(text: str) -> list[str]:
    """Return the parts of one crash that stand in one file, as somebody put them together; else the text alone."""
    if part_of(text) is None:
        return [text]
    starts = [found.start() for found in HEAD_LINE.finditer(text)][:MOST]
    return [text[at:end] for at, end in zip(starts, [*starts[1:], len(text)], strict=True)]


def siblings(path: Path) -> list[Path]:
    """Return the other files of the same crash, by name and first line."""
    name = NAME.match(path.name)
    own = _part(path)
    if name is None or own is None:
        return []
    files = {}
    for other in islice(path.parent.iterdir(), MOST):
        match = NAME.match(other.name)
        if match and match["backend"] == name["backend"] and not match["packed"]:
            files[int(match["id"])] = other
    if name["backend"] == "efi" and len(name["id"]) >= 15:  # (time * 100 + part) * 1000 + count
        crash = int(name["id"]) // 100_000
        found = [other for key, other in files.items() if key // 100_000 == crash]
        return [p for p in found if p != path and (part := _part(p)) and part[:2] == own[:2]]
    return _run(files, path, own)


def _run(files: dict[int, Path], path: Path, own: Part) -> list[Path]:
    """Return the parts that were written one after another: parts of one crash count up from 1."""
    order = [files[key] for key in sorted(files)]
    at, found = order.index(path), []
    for step in (-1, 1):
        wanted, there = own.number + step, at + step
        while 0 <= there < len(order):
            part = _part(order[there])
            if part != Part(own.reason, own.crash, wanted):
                break
            found.append(order[there])
            wanted, there = wanted + step, there + step
    return found


def _part(path: Path) -> Part | None:
    try:
        with path.open("rb") as file:
            return part_of(file.read(256).decode("utf-8", "replace"))
    except OSError:
        return None


def joined(texts: Sequence[str]) -> tuple[str, list[int]]:
    """Return the parts' texts as one log, oldest part first, and the numbers of parts that are missing."""
    parts = sorted(
        ((part_of(text) or Part("", 0, 0), text) for text in texts), key=lambda p: (p[0].crash, -p[0].number)
    )
    numbers = {part.number for part, _ in parts if part.number}
    missing = [n for n in range(1, max(numbers, default=0)) if n not in numbers]
    bodies = [HEAD.sub("", text, count=1) for _part, text in parts]
    out = ""
    for body in bodies:
        out += body if not out or out.endswith("\n") or not _begins_line(body) else "\n" + body
    return out, missing


def _begins_line(body: str) -> bool:
    return re.match(r"<\d+>|\[ *\d+\.", body) is not None
