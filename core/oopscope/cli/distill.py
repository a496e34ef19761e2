"""Write a small kdump file that gives the same report: to send, to keep, to test with; user memory only on demand."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from oopscope.boot.extra import Extra
from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import STDOUT, Progress, add_extra
from oopscope.distill.recording import distill
from oopscope.dumps import open_path
from oopscope.sources.remote import location


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("path", type=location, metavar="PATH", help="a dump or its URL")
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    parser.add_argument(
        "--user", action="store_true", help="keep the tops of the programs' stacks too: somebody's data"
    )
    text = "pack with zlib, not zstd, which many a makedumpfile lacks"
    parser.add_argument("--zlib", action="store_true", help=text)
    text = "without the machine's names and command line, what programs logged, and what lies between slab objects"
    parser.add_argument("--redact", action="store_true", help=text)
    parser.add_argument("--force", action="store_true", help="write over OUT if it exists")
    add_extra(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if str(args.out) == STDOUT:
        return _to_stdout(args)
    if args.out.exists() and not args.force:
        return complain(f"{args.out} exists; --force writes over it", USAGE)
    if args.out.exists() and isinstance(args.path, Path) and args.path.exists() and args.out.samefile(args.path):
        return complain(f"{args.out} is the dump itself: give another file to write", USAGE)
    return _distilled(args, args.out)


def _to_stdout(args: argparse.Namespace) -> int:
    """Write a dump to the standard output: whole, since its tables are known last; not to a terminal."""
    if sys.stdout is None or sys.stdout.isatty():
        return complain("a dump is nothing for a terminal: give a file, or write `> FILE`", USAGE)
    with tempfile.TemporaryDirectory(prefix="oopscope-") as folder:
        made = Path(folder) / "standard output"
        status = _distilled(args, made)
        with made.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return status


def _distilled(args: argparse.Namespace, out: Path) -> int:
    progress = Progress()
    extra = Extra.of(os.environ)
    done = distill(open_path(args.path), out, progress, args.user, args.zlib, args.redact, extra)
    progress.done()
    complain(f"{out.name if str(args.out) == STDOUT else out}: {done.pages} pages, {done.bytes} bytes", DONE)
    return DONE
