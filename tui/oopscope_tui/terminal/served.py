"""The screen of one browser, started by `oopscope serve`: `python -m oopscope_tui.terminal.served PATH ...`.

It speaks textual-serve's packets on its pipes, so it looks for no terminal. One browser's session may show several
screens in turn, a folder's and its dumps'; textual-serve knows one program, which begins once and ends once.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp

from oopscope.sources.remote import location
from oopscope_tui.app import OopscopeApp
from oopscope_tui.shows import show

MAX_SIDE = 1000  # cells
PRELUDE = b"__GANGLION__\n"


class ServedDriver(WebDriver):
    """A web driver that begins once and ends once in a process."""

    begun = False

    def __init__(self, app: OopscopeApp, **options: Any) -> None:
        super().__init__(app, **options)
        self._served = app
        self._send = self._write
        self._write = self._once  # type: ignore[assignment]  # a bound os.write in its place

    def _once(self, data: bytes) -> int:
        if data == PRELUDE:
            if ServedDriver.begun:
                return len(data)
            ServedDriver.begun = True
        return self._send(data)

    def write_meta(self, data: dict[str, object]) -> None:
        """Tell textual-serve of something; not of an end that another screen follows."""
        if data.get("type") == "exit" and self._served.next is not None:
            return
        super().write_meta(data)

    def run_input_thread(self) -> None:
        """Read until the screen ends; where nobody is left to show it to, it ends."""
        super().run_input_thread()
        if not self.exit_event.is_set():
            self._served.next = None
            self._served.post_message(ExitApp())

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Hear from textual-serve; the size is kept for the next screen."""
        if packet_type == "resize":
            payload |= {side: _clamped(payload.get(side)) for side in ("width", "height")}
            os.environ["COLUMNS"], os.environ["ROWS"] = str(payload["width"]), str(payload["height"])
        elif packet_type == "quit":
            self._served.next = None
        super().on_meta(packet_type, payload)


def _clamped(size: object) -> int:
    """Return a side of the screen, whatever a browser says of it: what is drawn costs its area."""
    return min(max(size, 1), MAX_SIDE) if isinstance(size, int) else 80


def main(argv: Sequence[str]) -> int:
    """Show the screens of a dump or of a folder's dumps; return the exit status."""
    return show([location(path) for path in argv], ServedDriver)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
