"""Print a completion script for a shell, or the man page: both are made from the parsers of the command line itself."""

import argparse

from oopscope.cli import DONE
from oopscope.cli.common import write

KINDS = ("bash", "zsh", "fish", "man")


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("kind", choices=KINDS, metavar="bash|zsh|fish|man", help="which shell, or the man page")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    write(script(args.kind))
    return DONE


def script(kind: str) -> str:
    """Return a shell's script, or the man page."""
    from oopscope.cli import manual, shells
    from oopscope.cli.spec import specs

    if kind == "man":
        return manual.page(specs())
    return {"bash": shells.bash, "zsh": shells.zsh, "fish": shells.fish}[kind](specs())
