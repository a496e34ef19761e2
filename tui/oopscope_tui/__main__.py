"""The `oopscope` command: core's sub-commands, and the screen for everything else.

Textual is imported only when the screen opens, and nothing else is before its first paint.
"""

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def open_screen(paths: Sequence[str | Path]) -> int:
    """Open the screen on a dump (several paths only for a split set) and return the exit status."""
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        print("oopscope: the screen needs a terminal; `oopscope report PATH` does not", file=sys.stderr)  # noqa: T201
        return 2
    if os.environ.get("TERM") in ("dumb", "unknown"):  # no way to move the cursor
        line = f"oopscope: a {os.environ['TERM']} terminal cannot show the screen; `oopscope report PATH` needs none"
        print(line, file=sys.stderr)  # noqa: T201
        return 2
    from oopscope_tui.shows import show

    return show(paths)


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    gc.set_threshold(50_000)  # what is read of a dump is kept: looking for garbage every 700 objects finds none
    atexit.register(gc.freeze)  # nor at the exit, where the interpreter would go through all of it three times
    from oopscope.cli import run

    return run(sys.argv[1:] if argv is None else argv, open_screen=open_screen)


if __name__ == "__main__":
    sys.exit(main())
