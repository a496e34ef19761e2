"""Tell whether a crash of this machine would be captured, each line explained; or the same of the machine of a dump."""

import argparse
import json
import textwrap
from pathlib import Path

from oopscope.cli import DONE
from oopscope.cli.common import Progress, add_extra, load, write
from oopscope.doctor import Check, dump, host
from oopscope.report.cells import printable
from oopscope.sources.remote import location

SIGNS = {"good": "✓", "bad": "✗", "doubt": "!", "told": "·", "unknown": "?"}
NAME, VALUE = 24, 34
NOT_READY = 1


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("path", nargs="?", type=location, metavar="PATH", help="a dump; by default this host")
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="FOLDER", help="a host's files below a folder")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people, or data")
    add_extra(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command; 1 where a crash of the host would not be captured."""
    checks = list(host(args.root) if args.path is None else dump(load([args.path], Progress())))
    if args.format == "json":
        write(json.dumps([check._asdict() for check in checks], indent=1, ensure_ascii=False) + "\n")
    else:
        write("".join(_line(check) for check in checks) + _summary(checks, args.path is None))
    return NOT_READY if args.path is None and any(check.state == "bad" for check in checks) else DONE


def _line(check: Check) -> str:
    value = printable(check.value)
    head = f"{SIGNS[check.state]} {check.name:<{NAME}}{value:<{VALUE}} "
    text = textwrap.wrap(check.means, 96 - NAME - 2)
    if len(value) > VALUE or len(head) + len(check.means) > 120:
        return f"{head.rstrip()}\n" + "".join(f"{'':<{NAME + 2}}{line}\n" for line in text)
    return f"{head}{check.means}\n"


def _summary(checks: list[Check], of_host: bool) -> str:
    bad = [check.name for check in checks if check.state == "bad"]
    if not of_host:
        return ""
    if bad:
        return f"\nA crash of this machine would not be captured: {', '.join(bad)}.\n"
    return "\nA crash of this machine should be captured; only a test shows it.\n"
