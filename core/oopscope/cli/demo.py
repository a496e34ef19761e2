"""Open a real dump that ships with oopscope, on the screen; --list names them."""

import argparse
import sys
from importlib.resources import as_file, files
from pathlib import Path

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import add_look, write
from oopscope.errors import NotADump

SUFFIX = ".kdump"


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="which one; the first by default")
    parser.add_argument("--list", action="store_true", help="name the dumps that ship with oopscope")
    add_look(parser)


def demos() -> dict[str, Path]:
    """Return the bundled dumps by name."""
    found = (f for f in files("oopscope").joinpath("data").iterdir() if f.name.endswith(SUFFIX))
    with_paths = {}
    for entry in sorted(found, key=lambda f: f.name):
        with as_file(entry) as path:  # an installed wheel's files are files
            with_paths[entry.name.removesuffix(SUFFIX)] = path
    return with_paths


def demo_path(name: str | None = None) -> Path:
    """Return the path of a bundled dump, the first by default; NotADump for none of that name."""
    known = demos()
    chosen = name or next(iter(known), None)
    if chosen is None or chosen not in known:
        raise NotADump(str(name), f"no such demo; there are {', '.join(known) or 'none'}")
    return known[chosen]


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
