"""Print one table of a dump: tasks, cpus, modules, mounts, slabs and so on; --list names them."""

import argparse

from oopscope.cli import DONE, USAGE, complain, nearest
from oopscope.cli.common import Progress, add_extra, load, write
from oopscope.cli.rows import add_format, add_rows, table_in, wanted
from oopscope.commands.command import TableOf
from oopscope.kernel.kernel import Kernel
from oopscope.report.answer import rows_of
from oopscope.report.query import QueryError
from oopscope.report.waits import picture
from oopscope.sources.remote import location
from oopscope.subsystems import TABLES, table
from oopscope.waits.build import wait_graph


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("table", nargs="?", metavar="TABLE", help="which table")
    parser.add_argument(
        "paths", nargs="*", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    parser.add_argument("--list", action="store_true", help="name the tables and their columns")
    add_format(parser, "-o")
    add_rows(parser)
    add_extra(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.list:
        lines = [f"{key:<14}{', '.join(c.key for c in table(key).columns)}\n" for key, _ in TABLES]
        write("".join(lines))
        return DONE
    if args.table not in dict(TABLES):
        return complain(_no_table(args.table), USAGE)
    if not args.paths:
        return complain(f"which dump? `oopscope show {args.table} PATH`", USAGE)
    kernel = load(args.paths, Progress())
    try:
        found = rows_of(kernel, wanted(args, TableOf(args.table)))
    except QueryError as error:
        return complain(str(error), USAGE)
    for piece in [drawn(kernel)] if _whole(args) else table_in(args.format, found, not args.no_headers):
        write(piece)
    kernel.remember()
    count = found.table.counted(kernel, len(found.rows))
    if not args.where and count.complete is False and count.of is not None:
        complain(f"{found.table.key}: {count.rows} of {count.of} are here", DONE)
    for problem in kernel.problems:
        complain(f"{problem.section}: {problem.message}", DONE)
    return DONE


def _whole(args: argparse.Namespace) -> bool:
    """Tell whether all waits are asked for in words: then they are drawn, and the rows are for data."""
    some = args.where or args.sort or args.columns or args.no_headers
    return args.table == "waits" and args.format == "text" and not some


def drawn(kernel: Kernel) -> str:
    """Return who waits for whom as a picture of 80 columns."""
    lines = [line.text.rstrip() for line in picture(wait_graph(kernel))]
    return "".join(f"{line}\n" for line in lines) or "nobody waits for what could be told\n"


def _no_table(name: str | None) -> str:
    known = [key for key, _ in TABLES]
    near = nearest(name, known) if name else None
    which = "which table" if name is None else f"no table {name!r}"
    return f"{which}; did you mean {near}?" if near else f"{which}; there are {', '.join(known)}"
