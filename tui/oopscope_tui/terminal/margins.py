"""Whether the terminal has left and right margins: it is asked (DECRQM of mode 69, DECLRMM), and its answer read.

Textual's parser drops what it does not know, so that the answer is taken out of what it is fed. A terminal that does
not answer has none.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

ASK = "\x1b[?69$p"
ANSWER = re.compile(r"\x1b\[\?69;([0-4])\$y")
THERE = "123"  # set, reset, always set


def listen(told: Callable[[], None]) -> None:
    """Call `told` once a terminal says that it has margins; to be called before Textual begins to read."""
    from textual._xterm_parser import XTermParser
    from textual.drivers import linux_driver

    class Parser(XTermParser):
        """Textual's parser, that sees the answer too."""

        def feed(self, data: str) -> Iterable[Any]:
            """Take what was typed or answered."""
            found = ANSWER.search(data)
            if found is not None and found[1] in THERE:
                told()
            return super().feed(data)

    setattr(linux_driver, "XTermParser", Parser)  # noqa: B010 - the driver makes its parser by this name
