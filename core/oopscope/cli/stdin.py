"""Standard input for the screen, which needs the keyboard there: it is kept in a file while the screen is open."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STDIN = "-"


@contextmanager
def kept_input() -> Iterator[Path]:
    """Copy standard input to a file that is removed afterwards, and take the terminal in its place."""
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="oopscope-") as folder:
        path = Path(folder) / "standard-input"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        terminal = os.open("/dev/tty", os.O_RDWR)
        os.dup2(terminal, 0)
        os.close(terminal)
        sys.stdin = sys.__stdin__ = os.fdopen(0, "r", closefd=False)  # type: ignore[misc]
        yield path
