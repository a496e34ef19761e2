"""Open a real dump that ships with oopscope, on the screen; --list names them."""

import argparse
import sys
from pathlib import Path

from oopscope.bundled import bundled, bundled_path
from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import add_look, write


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="which one; the first by default")
    parser.add_argument("--list", action="store_true", help="name the dumps that ship with oopscope")
    add_look(parser)


def demos() -> dict[str, Path]:
    """Return the bundled dumps' files by name."""
    return bundled()


def demo_path(name: str | None = None) -> Path:
    """Return the path of a bundled dump, the first by default; NotADump for none of that name."""
    return bundled_path(name)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.list:
        write("".join(f"{name}\n" for name in demos()))
        return DONE
    path = demo_path(args.name)
    if args.open_screen is None or not sys.stdout.isatty():
        return complain(f"the screen needs a terminal; try `oopscope report {path}`", USAGE)
    status: int = args.open_screen([path])
    return status
