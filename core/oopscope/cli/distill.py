"""Write a small kdump file that gives the same report: to send, to keep, to test with; user memory only on demand."""

import argparse
import os
from pathlib import Path

from oopscope.boot.extra import Extra
from oopscope.cli import DONE, USAGE, complain
from oopscope.cli.common import Progress, add_extra
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
    if args.out.exists() and not args.force:
        return complain(f"{args.out} exists; --force writes over it", USAGE)
    if args.out.exists() and isinstance(args.path, Path) and args.path.exists() and args.out.samefile(args.path):
        return complain(f"{args.out} is the dump itself: give another file to write", USAGE)
    progress = Progress()
    extra = Extra.of(os.environ)
    done = distill(open_path(args.path), args.out, progress, args.user, args.zlib, args.redact, extra)
    progress.done()
    complain(f"{args.out}: {done.pages} pages, {done.bytes} bytes", DONE)
    return DONE
