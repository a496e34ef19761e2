"""Print the kernel log: all of it, or what matches; with times since boot, as wall-clock UTC, or as differences."""

import argparse
import json
import re
from collections.abc import Iterable, Iterator

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import Progress, add_extra, load, write
from oopscope.kernel.clock import difference, moment
from oopscope.kernel.kernel import Kernel
from oopscope.linux.printk import Record, log
from oopscope.report.cells import printable
from oopscope.sources.remote import location
from oopscope.subsystems import table


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths", nargs="+", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    parser.add_argument("--grep", metavar="RE", help="only records that match; case matters if RE has capitals")
    parser.add_argument("--level", type=int, choices=range(8), metavar="N", help="only levels 0 (emerg) to N (7 debug)")
    parser.add_argument(
        "--time",
        choices=("boot", "utc", "delta"),
        default="boot",
        help="since boot, as the wall clock had it, or since the line before",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people, or data")
    add_extra(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    try:
        pattern = re.compile(args.grep, 0 if any(map(str.isupper, args.grep)) else re.I) if args.grep else None
    except re.error as e:
        return complain(f"--grep: not a regular expression: {e}", USAGE)
    kernel = load(args.paths, Progress())
    records = [
        r
        for r in log(kernel)
        if (args.level is None or (r.level is not None and r.level <= args.level))
        and (pattern is None or pattern.search(r.text))
    ]
    if args.format == "json":
        keys = [c.key for c in table("log").columns]
        write(json.dumps([{k: getattr(r, k) for k in keys} for r in records], indent=1) + "\n")
    else:
        write("".join(_lines(kernel, records, args.time)))
    return DONE


def _lines(kernel: Kernel, records: Iterable[Record], clock: str) -> Iterator[str]:
    epoch = _epoch(kernel) if clock == "utc" else 0
    previous = 0
    for r in records:
        if r.ns is None:
            when = moment(r.wall) if r.wall is not None else None
            stamp = f"[{when:%b %d %H:%M:%S}]" if when else ""
        elif clock == "utc":
            when = moment(epoch + r.ns)
            stamp = when.strftime("%Y-%m-%d %H:%M:%S.%f") if when else "?"
        elif clock == "delta":
            stamp, previous = f"[{difference(r.ns, previous):>13}]", r.ns
        else:
            stamp = r.stamp
        caller = f"[{r.caller:>8}] " if r.caller else ""
        head = f"{stamp} {caller}" if stamp or caller else ""
        text = printable(r.text, keep="\n\t").replace("\n", "\n" + " " * len(head))
        yield f"{head}{text}\n"


def _epoch(kernel: Kernel) -> int:
    from oopscope.linux.system import the_clock

    if kernel.facts.format == "log":
        return 0
    found = the_clock(kernel).log
    if found is None:
        kernel.problems.add("log", "the time of boot is not known: times are from 1970")
    return found or 0
