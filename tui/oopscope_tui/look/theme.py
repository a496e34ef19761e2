"""The few styles of the screen: the terminal's own ground and its sixteen colours, one meaning each.

red the culprit and errors · yellow doubt and warnings · cyan a link or a key · dim guessed, absent or secondary.
Every meaning has a sign beside its colour, so that NO_COLOR and a monochrome terminal lose nothing. How these colours
look is the theme's (palette.py), which paints them when they are drawn.
"""

from rich.style import Style

PLAIN = Style.null()
BOLD = Style(bold=True)
DIM = Style(dim=True)
CURSOR = Style(reverse=True)
RULE = Style(dim=True)
TITLE = Style(bold=True)
HEADING = Style(bold=True)
BAD = Style(color="red", bold=True)
DOUBT = Style(color="yellow")
LINK = Style(color="cyan")
KEY = Style(color="cyan", bold=True)
HIT = Style(color="black", bgcolor="yellow")
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
