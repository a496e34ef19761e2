"""Print the kernel log: all of it, or what matches; with times since boot, as wall-clock UTC, or as differences."""

import argparse
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.color import add_color, colored, paint
from oopscope.cli.common import Progress, add_extra, load, write, write_data
from oopscope.cli.options import add_options
from oopscope.commands.command import Say
from oopscope.commands.register import BY_WORD
from oopscope.kernel.clock import SECOND, difference, moment
from oopscope.kernel.kernel import Kernel
from oopscope.linux.printk import Record, log
from oopscope.report.cells import printable
from oopscope.sources.remote import location
from oopscope.subsystems import table

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}  # seconds
NO_MATCH = 1  # as grep(1) ends


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths", nargs="+", type=location, metavar="PATH", help="a dump or its URL, or the parts of a split one"
    )
    parser.add_argument("--grep", metavar="RE", help="only records that match; case matters if RE has capitals")
    parser.add_argument("--level", type=int, choices=range(8), metavar="N", help="only levels 0 (emerg) to N (7 debug)")
    parser.add_argument(
        "-p", dest="level", type=_level, metavar="LEVEL", help="the same by name: emerg, alert, crit, err, warning ..."
    )
    parser.add_argument("-n", type=_count, metavar="N", help="only the last N records of those")
    when = "12.5 (seconds since boot), -30s, -5m (before the log's end) or 2026-11-23T03:20:06 (UTC)"
    parser.add_argument("--since", metavar="TIME", help=f"only from then on: {when}")
    parser.add_argument("--until", metavar="TIME", help="only up to then")
    parser.add_argument(
        "--time",
        choices=("boot", "utc", "delta"),
        default="boot",
        help="since boot, as the wall clock had it, or since the line before",
    )
    parser.add_argument("-T", dest="time", action="store_const", const="utc", help="the same as --time utc")
    add_color(parser)
    parser.add_argument("-t", dest="bare", action="store_true", help="without times and callers")
    parser.add_argument("-m", dest="levels", action="store_true", help="each line's level before it: <3>")
    parser.set_defaults(command=BY_WORD["log"])
    add_options(parser, BY_WORD["log"], ("-T", "-t", "-m"))
    parser.add_argument("--format", choices=("text", "json", "jsonl"), default="text", help="text for people, or data")
    add_extra(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    said = args.command.ask(getattr(args, "given", None) or [])
    if isinstance(said, Say):
        return complain(said.text, USAGE)
    try:
        pattern = re.compile(args.grep, 0 if any(map(str.isupper, args.grep)) else re.I) if args.grep else None
    except re.error as e:
        return complain(f"--grep: not a regular expression: {e}", USAGE)
    kernel = load(args.paths, Progress())
    records = log(kernel)
    try:
        records = _between(kernel, records, args.since, args.until)
    except ValueError as e:
        return complain(str(e), USAGE)
    records = [
        r
        for r in records
        if (args.level is None or (r.level is not None and r.level <= args.level))
        and (pattern is None or pattern.search(r.text))
    ][-args.n if args.n is not None else None :]
    if args.format == "text":
        write("".join(_lines(kernel, records, args)))
    else:
        keys = [c.key for c in table("log").columns]
        write_data(({k: getattr(r, k) for k in keys} for r in records), args.format)
    return DONE if records or pattern is None else NO_MATCH


def _level(text: str) -> int:
    names = [one for one, name in enumerate(LEVELS) if text and name.startswith(text.lower())]
    if text.isdigit() and int(text) < len(LEVELS):
        return int(text)
    if not names:
        raise argparse.ArgumentTypeError(f"no level {text}: {', '.join(LEVELS)}, or 0 to 7")
    return names[0]


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]):
        raise argparse.ArgumentTypeError(f"{text[:20]} is no count of records")
    return int(text[:9])


def _between(kernel: Kernel, records: list[Record], since: str | None, until: str | None) -> list[Record]:
    """Return the records between two times; those without a time are left out. ValueError for what is no time."""
    if since is None and until is None:
        return records
    end = next((r.ns for r in reversed(records) if r.ns is not None), 0)
    first = _moment(kernel, since, end) if since is not None else 0
    last = _moment(kernel, until, end) if until is not None else end
    return [r for r in records if r.ns is not None and first <= r.ns <= last]


def _moment(kernel: Kernel, text: str, end: int) -> int:
    """Return nanoseconds since boot of a time as it is typed, given when the log ends."""
    match = re.fullmatch(r"(-?)(\d{1,9}(?:\.\d{1,9})?)(s|m|h|d|)", text)
    if match is not None:
        span = int(float(match[2]) * UNITS[match[3]] * SECOND)
        return end - span if match[1] else span
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]} is no time: 12.5, -30s or 2026-11-23T03:20:06") from None
    when = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return int(when.timestamp() * SECOND) - _epoch(kernel)


def _lines(kernel: Kernel, records: Iterable[Record], args: argparse.Namespace) -> Iterator[str]:
    stamped, in_color = _stamped(kernel, records, args.time), colored(args)
    for r, stamp in stamped:
        caller = f"[{r.caller:>8}] " if r.caller else ""
        head = "" if args.bare or not (stamp or caller) else f"{stamp} {caller}"
        if args.levels:
            head = f"<{'?' if r.level is None else r.level}>{head}"
        text = printable(r.text, keep="\n\t").replace("\n", "\n" + " " * len(head))
        if in_color:
            text = paint(text, "red" if r.level is not None and r.level <= 3 else "yellow") if _loud(r) else text
            head = paint(head, "dim")
        yield f"{head}{text}\n"


def _loud(record: Record) -> bool:
    return record.level is not None and record.level <= 4


def _stamped(kernel: Kernel, records: Iterable[Record], clock: str) -> Iterator[tuple[Record, str]]:
    """Yield records, each with its time as the clock has it."""
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
        yield r, stamp


def _epoch(kernel: Kernel) -> int:
    from oopscope.linux.system import the_clock

    if kernel.facts.format == "log":
        return 0
    found = the_clock(kernel).log
    if found is None:
        kernel.problems.add("log", "the time of boot is not known: times are from 1970")
    return found or 0
