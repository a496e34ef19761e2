"""Colour for texts on a terminal: the verdict and errors red, warnings and doubt yellow, headings bold."""

import argparse
import os
import re
import sys

RED, YELLOW, BOLD, DIM, PLAIN = "\x1b[1;31m", "\x1b[33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
STYLES = {"red": RED, "yellow": YELLOW, "bold": BOLD, "dim": DIM}


def add_color(parser: argparse.ArgumentParser) -> None:
    """Declare the option."""
    text = "colour in texts: auto (on a terminal, unless NO_COLOR is set), always, never"
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help=text)


def colored(args: argparse.Namespace) -> bool:
    """Tell whether a text goes out in colour."""
    if args.color != "auto":
        return bool(args.color == "always")
    plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return not plain and sys.stdout is not None and sys.stdout.isatty()


def paint(text: str, style: str) -> str:
    """Return a text in a style."""
    return f"{STYLES[style]}{text}{PLAIN}" if text else text


def painted(text: str) -> str:
    """Return a report's text in colour: headings, the verdict's first line, marks of doubt."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        under = lines[at + 1] if at + 1 < len(lines) else ""
        if under and set(under) == {"-"}:
            lines[at] = paint(line, "bold")
        elif line and set(line) == {"-"}:
            lines[at] = paint(line, "dim")
            if "Verdict" in lines[at - 1] and under:
                lines[at + 1] = paint(under, "red")
        elif re.match(r"\s+! ", line):
            lines[at] = paint(line, "yellow")
    return "\n".join(lines)
