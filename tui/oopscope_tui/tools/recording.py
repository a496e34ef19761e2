"""A recorded session: `python -m oopscope_tui.tools.recording OUTDIR [DUMP]` writes session.cast and session.svg.

The screen runs on a pseudo-terminal and is typed at; what it sends is the asciicast (version 2, as asciinema plays
it). The moving picture is drawn from the same bytes by a terminal emulator: pyte from PyPI. Both are for the people who
write the documentation; nothing that runs needs them.
"""

import argparse
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
from codecs import getincrementaldecoder
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from rich.segment import Segment
from rich.style import Style

from oopscope_tui.look.picture import DARK, moving

QUIET = 0.25  # seconds without a byte: the key is done
PATIENCE = 2.0  # seconds for the first of them
TYPING = 0.09  # seconds between the letters of a word

# What is typed, and how long a viewer looks at what comes of it, in seconds.
SCRIPT: tuple[tuple[str, float], ...] = (
    ("", 3.5), ("e", 4.0), ("\x1b", 0.8),  # the verdict, explained
    ("j", 0.4), ("j", 0.4), ("j", 0.8), ("\r", 2.5), ("\x1b", 0.8),  # a piece of evidence, followed
    ("2", 2.0), ("\r", 0.8), ("j", 0.8), ("\r", 4.5), ("\x1b", 0.5), ("\x1b", 0.5),  # the code that faulted
    ("3", 1.5), ("t", 2.0), ("f", 0.6), ("state:S rss>1k", 0.8), ("\r", 1.5), ("\x1b", 0.6),  # tasks
    ("4", 3.0),  # memory
    ("5", 1.2), ("z", 1.5), ("/", 0.5), ("memory", 1.0), ("\r", 0.8), ("n", 0.8), ("n", 1.2), ("\x1b", 0.5), ("o", 1.5),
    (":", 0.6), ("slab", 1.2), ("\r", 2.0),
    ("?", 2.5), ("\x1b", 0.5), ("1", 2.0),
)  # fmt: skip


class Event(NamedTuple):
    """Bytes that the screen sent, and when; `rest` marks that a viewer now looks at the screen for so long."""

    time: float
    data: bytes
    rest: float = 0.0


def record(argv: Sequence[str], size: tuple[int, int], script: Sequence[tuple[str, float]] = SCRIPT) -> Iterator[Event]:
    """Run oopscope with arguments on a pseudo-terminal, type the script at it, and yield what it sends."""
    width, height = size
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.execv(sys.executable, [sys.executable, "-m", "oopscope_tui", *argv])  # noqa: S606  (our own interpreter)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    clock = 0.0
    try:
        for word, look in script:
            for key in [word] if len(word) == 1 else word or [""]:
                os.write(terminal, key.encode())
                for data in _output(terminal):
                    yield Event(clock, data)
                clock += TYPING if len(word) > 1 else 0
                yield Event(clock, b"", TYPING if len(word) > 1 else look)
            clock += look
        os.write(terminal, b"q")
        for data in _output(terminal):
            yield Event(clock, data)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


def _output(terminal: int) -> Iterator[bytes]:
    """Yield what comes until it is quiet."""
    until = monotonic() + PATIENCE
    while select.select([terminal], [], [], max(0.0, until - monotonic()))[0]:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # the other side is closed
            return
        if not data:
            return
        yield data
        until = monotonic() + QUIET


def write_cast(events: Sequence[Event], size: tuple[int, int], target: Path) -> None:
    """Write an asciicast of version 2."""
    head = {"version": 2, "width": size[0], "height": size[1], "title": "oopscope", "env": {"TERM": "xterm-256color"}}
    lines = [json.dumps(head)]
    decoder = getincrementaldecoder("utf-8")("replace")  # a read may end within a character
    for event in events:
        if event.data:
            lines.append(json.dumps([round(event.time, 3), "o", decoder.decode(event.data)]))
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def frames(events: Sequence[Event], size: tuple[int, int]) -> Iterator[tuple[list[list[Segment]], float]]:
    """Yield what a terminal shows of the events whenever a viewer looks at it, and for how long."""
    pyte = import_module("pyte")
    screen = pyte.Screen(*size)
    stream = pyte.ByteStream(screen)
    for event in events:
        if event.data:
            stream.feed(event.data)
        if event.rest:
            yield [_segments(screen.buffer[y], size[0]) for y in range(size[1])], event.rest


COLOURS = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")


def _segments(row: Any, width: int) -> list[Segment]:
    out: list[Segment] = []
    for x in range(width):
        cell = row[x]
        style = Style(
            color=_colour(cell.fg), bgcolor=_colour(cell.bg), bold=cell.bold or None, reverse=cell.reverse or None,
            italic=cell.italics or None, underline=cell.underscore or None,
        )  # fmt: skip
        if out and out[-1].style == style:
            out[-1] = Segment(out[-1].text + cell.data, style)
        else:
            out.append(Segment(cell.data, style))
    return out


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    plain = name.removeprefix("bright")
    if plain in COLOURS:
        return f"color({COLOURS.index(plain) + 8 * (plain != name)})"
    return f"#{name}"


def main() -> None:
    """Parse the arguments and write both files."""
    parser = argparse.ArgumentParser(prog="python -m oopscope_tui.tools.recording", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("dump", type=Path, nargs="?", help="the dump that ships with the package if not given")
    parser.add_argument("--size", default="110x32")
    args = parser.parse_args()
    width, height = (int(word) for word in args.size.split("x"))
    command = [str(args.dump)] if args.dump else ["demo"]
    events = list(record(command, (width, height)))
    args.out.mkdir(parents=True, exist_ok=True)
    write_cast(events, (width, height), args.out / "session.cast")
    picture = moving(list(frames(events, (width, height))), width, DARK)
    (args.out / "session.svg").write_text(picture, encoding="utf-8")
    print(f"session.cast and session.svg in {args.out}")  # noqa: T201


if __name__ == "__main__":
    main()
