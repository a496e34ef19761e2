"""What the sub-commands share: opening a dump with a word of progress, and writing data."""

import argparse
import errno
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from textwrap import indent
from typing import Any

from oopscope.boot.attach import open_kernel
from oopscope.kernel.kernel import Kernel
from oopscope.sources.remote import Location
from oopscope.whole_file import whole_file

THEMES = ("terminal", "dark", "light", "high-contrast", "mono")  # as the screen knows them
PATIENCE = 0.5  # seconds before progress is shown
AT_ONCE = 1 << 16  # characters that are written at a time


class Progress:
    """Says on stderr what is being done, only on a terminal and only once it takes long."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._shown = False

    def __call__(self, text: str) -> None:
        """Show one step."""
        if sys.stderr is not None and sys.stderr.isatty() and time.monotonic() - self._start > PATIENCE:
            sys.stderr.write(f"\r\x1b[K{text} ...")
            sys.stderr.flush()
            self._shown = True

    def done(self) -> None:
        """Wipe what was shown."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            self._shown = False


def add_extra(parser: argparse.ArgumentParser) -> None:
    """Declare the options for files that add what a dump lacks."""
    group = parser.add_argument_group("what the dump lacks")
    group.add_argument("--vmcoreinfo", metavar="FILE", action=_Extra, help="the text of VMCOREINFO of this very boot")
    group.add_argument("--btf", metavar="FILE", action=_Extra, help="the kernel's types as BTF, such as BTFHub keeps")
    group.add_argument("--vmlinux", metavar="FILE", action=_Extra, help="the kernel with its types (.BTF or DWARF)")
    group.add_argument("--symbols", metavar="FILE", action=_Extra, help="the kernel's System.map, or its vmlinux")


def add_known(parser: argparse.ArgumentParser) -> None:
    """Declare the option for a file of known bugs."""
    parser.add_argument(
        "--known", metavar="FILE", action=_Extra, help="known bugs (TOML), of which those that match are shown"
    )


def add_look(parser: argparse.ArgumentParser) -> None:
    """Declare the options for how the screen looks."""
    group = parser.add_argument_group("how the screen looks")
    text = "colours: the terminal's own (default), or a theme's; NO_COLOR means mono"
    group.add_argument("--theme", choices=THEMES, metavar="NAME", action=_Look, help=text)
    text = "for a projector: the colours of high contrast, and fewer columns"
    group.add_argument("--projector", nargs=0, action=_Look, help=text)
    text = "an asciicast of the session, as asciinema plays it"
    group.add_argument("--record", metavar="FILE", action=_Look, help=text)
    text = "only the basic colours, nothing dim or italic: for terminals that draw those badly"
    group.add_argument("--plain-colors", nargs=0, action=_Look, help=text)


class _Look(argparse.Action):
    """Hands an option on through the environment, where the screen finds it, a browser's too."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        os.environ[f"OOPSCOPE_{self.dest.upper()}"] = values or "1"
        if self.dest == "plain_colors":
            os.environ["TEXTUAL_COLOR_SYSTEM"] = "standard"  # Textual takes it from nowhere else


class _Extra(argparse.Action):
    """Hands the file on through the environment, where whatever opens the dump finds it."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if not Path(values).expanduser().is_file():
            parser.error(f"{option_string}: no file {values}")
        os.environ[f"OOPSCOPE_{self.dest.upper()}"] = values


STDOUT = "-"  # as a file to write


def load(paths: Sequence[Location], progress: Progress | None = None) -> Kernel:
    """Open a dump."""
    return open_kernel(paths, progress)


def write_data(rows: Iterable[dict[str, Any]], form: str) -> None:
    """Write rows to stdout as they come, as "json" or "jsonl": of what is large only so much is held."""
    held, size = list[str](), 0
    for part in _lines(rows) if form == "jsonl" else _array(rows):
        held.append(part)
        size += len(part)
        if size >= AT_ONCE:
            write("".join(held))
            held, size = [], 0
    write("".join(held))


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield from (json.dumps(row) + "\n" for row in rows)


def _array(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield what json.dumps of the list of them, with an indent of 1, gives."""
    start = "["
    for row in rows:
        yield start + "\n" + indent(json.dumps(row, indent=1), " ")
        start = ","
    yield "[]\n" if start == "[" else "\n]\n"


def write(text: str, output: Path | None = None) -> None:
    """Write data to a file, or to stdout in whatever it can show; `-` is stdout."""
    if output is not None and str(output) != STDOUT:
        with whole_file(output) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
        return
    if sys.stdout is None:  # closed by the shell
        raise OSError(errno.EBADF, "is closed", "standard output")
    try:
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as e:
        raise OSError(e.errno, e.strerror, "standard output") from None
