"""Recording a session: what is written to the terminal goes to an asciicast too (version 2, as asciinema plays it).

Each event goes out at once, so that what was recorded is there however the session ends.
"""

import json
import os
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

BEGIN = "\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l"  # what was written before the recording began


def tee(driver: Any, name: str, size: Any) -> None:
    """Write to a file what the driver writes; a second screen of the session goes on in the same file."""
    if name not in _OPEN:
        file: TextIO = Path(name).expanduser().open("w", encoding="utf-8", buffering=1)  # open as long as the session
        _OPEN[name] = file, monotonic()
        head = {"version": 2, "width": size.width, "height": size.height, "env": {"TERM": os.environ.get("TERM", "")}}
        file.write(json.dumps(head) + "\n" + json.dumps([0.0, "o", BEGIN]) + "\n")
    (kept, start), write = _OPEN[name], driver.write

    def both(data: str) -> None:
        write(data)
        if not kept.closed:
            kept.write(json.dumps([round(monotonic() - start, 3), "o", data]) + "\n")

    driver.write = both


def close() -> None:
    """Close every recording."""
    while _OPEN:
        _OPEN.popitem()[1][0].close()


_OPEN: dict[str, tuple[TextIO, float]] = {}  # recordings by name, and when each began
