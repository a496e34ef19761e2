"""Writing a file whole or not at all: under another name beside it, which becomes its own when all is written.

It knows nothing of what is written. What goes wrong is an OSError that names the file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, which is at `path` only after the block ends without an error.

    A device or a pipe is written to as it is.
    """
    import tempfile  # 3 ms, and most commands write no file

    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as out:
                yield out
            return
        path = path.resolve()  # a link stays one
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "w+b") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            part.chmod(_mode(path))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as e:
        raise OSError(e.errno, e.strerror or str(e), str(path)) from e


def _mode(path: Path) -> int:
    """Return the permissions of a file that is replaced, else those that a new one gets."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
