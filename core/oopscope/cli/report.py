"""Print everything that a dump tells: the verdict with its evidence, stacks, tasks, memory and tables."""

import argparse
from importlib import import_module
from pathlib import Path

from oopscope.cli import DAMAGED, DONE, USAGE, complain
from oopscope.cli.color import add_color, colored, painted
from oopscope.cli.common import Progress, add_extra, add_known, load, write
from oopscope.linux.system import the_system
from oopscope.report.blocked import add_stacks
from oopscope.report.brief import SECTIONS as BRIEF
from oopscope.report.build import build, sections
from oopscope.sources.remote import location
from oopscope.subsystems import TABLES

FORMATS = ("text", "json", "markdown", "html")


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths", nargs="+", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="html is one page, markdown fits an issue")
    parser.add_argument("--brief", action="store_true", help="at most fifteen lines, for a mail or a console")
    add_color(parser)
    parser.add_argument("--sections", metavar="A,B", help="only these sections, such as verdict,cpus,log")
    parser.add_argument("--stacks", action="store_true", help="with every task's stack")
    text = "without host names, network addresses, the command line, user names and what programs logged"
    parser.add_argument("--redact", action="store_true", help=text)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there, not to stdout")
    add_extra(parser)
    add_known(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    names = list(BRIEF) if args.brief else None
    if args.sections is not None:
        try:
            names = sections(n.strip() for n in args.sections.split(",") if n.strip())
        except ValueError as e:
            return complain(str(e), USAGE)
    elif args.format == "html":
        names = ["dump", "verdict", *(key for key, _ in TABLES)]  # and the log: it is read without the dump at hand
    progress = Progress()
    kernel = load(args.paths, progress)
    report = build(kernel, names, args.stacks, progress)
    if args.format != "json" and not args.brief:
        add_stacks(kernel, report)
    if args.redact:
        from oopscope.report.redact import redact  # not what most ask for

        report = redact(report, [the_system(kernel).nodename, kernel.facts.nodename])
    progress.done()
    text: str = import_module(f"oopscope.report.{'brief' if args.brief else args.format}").render(report)
    if args.format == "text" and args.output is None and colored(args):
        text = painted(text)
    write(text, args.output)
    kernel.remember()
    return status(report)


def status(report: dict[str, object]) -> int:
    """Return 4 where the dump held too little for a verdict, or less than the verdict needs, else 0."""
    dump, verdict = report.get("dump"), report.get("verdict")
    complete = not isinstance(dump, dict) or dump["complete"]
    known = not isinstance(verdict, dict) or (verdict["cause"] != "unknown" and not verdict.get("lacks"))
    log = isinstance(dump, dict) and dump.get("format") == "log"  # it has no tasks, and perhaps names no CPU
    needed = ("verdict",) if log else ("verdict", "cpus", "tasks")
    failed = any(report.get(key, ()) is None for key in needed)
    return DONE if not failed and (complete or known) else DAMAGED
