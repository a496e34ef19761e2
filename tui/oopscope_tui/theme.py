"""The few styles of the screen: the terminal's own ground and its sixteen colours, one meaning each.

red the culprit and errors · yellow doubt and warnings · cyan a link or a key · dim guessed, absent or secondary.
Every meaning has a sign beside its colour, so that NO_COLOR and a monochrome terminal lose nothing.
"""

import os

from rich.style import Style

DEFAULT = "terminal"
NAMES = (DEFAULT,)
NO_COLOR = "NO_COLOR" in os.environ

PLAIN = Style.null()
BOLD = Style(bold=True)
DIM = Style(dim=True)
CURSOR = Style(reverse=True)
RULE = Style(dim=True)
TITLE = Style(bold=True)
HEADING = Style(bold=True, underline=True) if NO_COLOR else Style(bold=True)
BAD = Style(bold=True) if NO_COLOR else Style(color="red", bold=True)
DOUBT = Style(italic=True) if NO_COLOR else Style(color="yellow")
LINK = Style(underline=True) if NO_COLOR else Style(color="cyan")
KEY = Style(bold=True) if NO_COLOR else Style(color="cyan", bold=True)
HIT = Style(reverse=True, bold=True) if NO_COLOR else Style(color="black", bgcolor="yellow")
HIT_CURSOR = Style(bold=True, underline=True)  # a hit on the cursor's row, which is reversed
ACTIVE = Style(reverse=True, bold=True)  # the tab in view

# A log record's level, 0 (emergency) to 7 (debug): its letter and its style.
LEVELS: tuple[tuple[str, str, Style], ...] = (
    ("M", "emergency", BAD),
    ("A", "alert", BAD),
    ("C", "critical", BAD),
    ("E", "error", BAD),
    ("W", "warning", DOUBT),
    ("N", "notice", BOLD),
    ("I", "info", PLAIN),
    ("D", "debug", DIM),
)
