"""What the sub-commands share: opening a dump with a word of progress, and writing data."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from oopscope.kernel.boot import open_kernel
from oopscope.kernel.kernel import Kernel

PATIENCE = 0.5  # seconds before progress is shown


class Progress:
    """Says on stderr what is being done, only on a terminal and only once it takes long."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._shown = False

    def __call__(self, text: str) -> None:
        """Show one step."""
        if sys.stderr.isatty() and time.monotonic() - self._start > PATIENCE:
            sys.stderr.write(f"\r\x1b[K{text} ...")
            sys.stderr.flush()
            self._shown = True

    def done(self) -> None:
        """Wipe what was shown."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            self._shown = False


def load(paths: Sequence[Path], progress: Progress | None = None) -> Kernel:
    """Open a dump."""
    return open_kernel(paths, progress)


def write(text: str, output: Path | None = None) -> None:
    """Write data to a file, or to stdout in whatever it can show."""
    if output is not None:
        output.write_text(text, encoding="utf-8")
        return
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
    sys.stdout.flush()
