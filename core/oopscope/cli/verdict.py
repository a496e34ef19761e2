"""Print why the machine died: the verdict with its evidence, and what else was wrong."""

import argparse

from oopscope.cli import report
from oopscope.cli.color import add_color
from oopscope.cli.common import add_extra, add_known
from oopscope.sources.remote import location


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; of a report's others it takes the defaults."""
    parser.add_argument(
        "paths", nargs="+", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    parser.add_argument("--format", choices=report.FORMATS, default="text", help="markdown fits an issue")
    add_color(parser)
    add_extra(parser)
    add_known(parser)
    parser.set_defaults(sections="dump,verdict,findings", brief=False, stacks=False, redact=False, output=None)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    return report.run(args)
