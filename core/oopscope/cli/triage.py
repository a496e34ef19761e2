"""Print one line of JSON for each dump: why each machine of a fleet died. Folders are searched for dumps.

Dumps of the same signature died of the same bug; --format text puts them together, the most frequent first.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oopscope.cli import DONE, NOT_A_DUMP, complain
from oopscope.cli.common import add_known, write
from oopscope.fleet.many import expand, lines_of
from oopscope.report.cells import printable
from oopscope.sources.remote import location
from oopscope.triage.known import words


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="+", type=location, metavar="PATH", help="dumps, and folders of dumps")
    add_known(parser)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="read N dumps at a time")
    parser.add_argument(
        "--format",
        choices=("json", "text"),
        default="json",
        help="json: a line as each is read; text: by bug, at the end",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; a dump that cannot be read is a line with `error`."""
    missed: list[tuple[Path, str]] = []
    paths = list(expand(args.paths, lambda path, why: missed.append((path, why))))
    lines = [{"path": str(path), "error": f"{path}: {why}"} for path, why in missed]
    if args.format == "json":
        write("".join(json.dumps(line) + "\n" for line in lines))
    if not paths:
        if args.format == "text" and lines:
            write("\n".join(_grouped(lines)))
        return complain("no dumps there" + (", and not all could be looked at" if missed else ""), NOT_A_DUMP)
    for line in lines_of(paths, max(args.jobs, 1)):
        lines.append(line)
        if args.format == "json":
            write(json.dumps(line) + "\n")
        if sys.stderr is not None and sys.stderr.isatty() and (args.format == "text" or not sys.stdout.isatty()):
            end = "\n" if len(lines) - len(missed) == len(paths) else ""
            sys.stderr.write(f"\r\x1b[K{len(lines) - len(missed)} of {len(paths)} dumps{end}")
            sys.stderr.flush()
    if args.format == "text":
        write("\n".join(_grouped(lines)))
    return DONE if any("error" not in line for line in lines) else NOT_A_DUMP


def _grouped(lines: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the dumps of each bug under its title, the most frequent first, then those that could not be read."""
    bugs: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        alone = f" {line['path']}"  # of unknown cause: no bug that another could have too
        bugs.setdefault(line["signature"] or alone if "signature" in line else "", []).append(line)
    for signature, members in sorted(bugs.items(), key=lambda bug: (not bug[0], -len(bug[1]))):
        if not signature:
            errors = "".join(f"  {printable(line['error'])}\n" for line in members)
            yield f"{len(members)}  could not be read\n{errors}"
            continue
        rows = [[line["crash_time"] or "-", line["nodename"] or "-", line["release"] or "-"] for line in members]
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        dumps = "".join(
            f"  {'  '.join(map(str.ljust, map(printable, row), widths))}  {printable(line['path'])}\n"
            for row, line in zip(rows, members, strict=True)
        )
        known = "".join(f"  known: {printable(words(bug))}\n" for bug in members[0]["known"])
        head = f"{len(members)}  {printable(members[0]['title'])}"
        yield f"{head}{'' if signature.startswith(' ') else '  ' + printable(signature)}\n{known}{dumps}"
