"""Print the JSON Schema of what the commands print as JSON: of all of them, or of one."""

import argparse
import json

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import write


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", nargs="?", metavar="COMMAND", help="of this command alone")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from oopscope.report.schema import commands, of_command, whole

    if args.name is not None and args.name not in commands():
        return complain(f"no JSON of {args.name!r}; there is that of {', '.join(commands())}", USAGE)
    write(json.dumps(of_command(args.name) if args.name else whole(), indent=1) + "\n")
    return DONE
