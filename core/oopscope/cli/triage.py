"""Print one line of JSON for each dump: why each machine of a fleet died. Folders are searched for dumps."""

import argparse
import gc
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from oopscope.cli import DONE, NOT_A_DUMP, complain
from oopscope.dumps import find_dumps
from oopscope.errors import OopscopeError
from oopscope.sources.remote import Location, location, shown


def prepare(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("paths", nargs="+", type=location, metavar="PATH", help="dumps, and folders of dumps")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="read N dumps at a time")


def run(args: argparse.Namespace) -> int:
    """Run the command; a dump that cannot be read is a line with `error`."""
    paths = list(_expand(args.paths))
    if not paths:
        return complain("no dumps there", NOT_A_DUMP)
    failed = 0
    for done, line in enumerate(_results(paths, max(args.jobs, 1)), 1):
        failed += "error" in line
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        if sys.stderr.isatty() and not sys.stdout.isatty():
            sys.stderr.write(f"\r\x1b[K{done} of {len(paths)} dumps" + ("\n" if done == len(paths) else ""))
    return DONE if failed < len(paths) else NOT_A_DUMP


def _expand(paths: list[Location]) -> Iterator[Location]:
    for path in paths:
        if isinstance(path, Path) and path.is_dir():
            yield from find_dumps(path)
        else:
            yield path


def _results(paths: list[Location], jobs: int) -> Iterator[dict[str, Any]]:
    if jobs == 1 or len(paths) == 1:
        yield from map(one, paths)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(one, path) for path in paths]):
            yield future.result()


def one(path: Location) -> dict[str, Any]:
    """Return one dump's line, and let go of all that was read of it."""
    line = _line(path)
    gc.collect()  # a kernel and what is kept of it refer to each other; a few of them are a hundred MB
    return line


def _line(path: Location) -> dict[str, Any]:
    """Return one dump's line: path, host, kernel, time, cause and signature, or `error`."""
    from oopscope.kernel.boot import open_kernel
    from oopscope.report.build import verdict_data
    from oopscope.subsystems.system import the_system
    from oopscope.triage import verdict

    try:
        kernel = open_kernel([path])
        facts, found = the_system(kernel), verdict_data(verdict(kernel))
        kernel.remember()
    except OopscopeError as e:
        return {"path": shown(path), "error": str(e)}
    except Exception as e:  # noqa: BLE001 - the boundary of one dump: the fleet's others go on
        return {"path": shown(path), "error": f"a fault of oopscope's own: {type(e).__name__}: {e}"}
    keys = (
        "cause",
        "category",
        "title",
        "summary",
        "confidence",
        "panic_message",
        "comm",
        "symbol",
        "module",
        "signature",
    )
    return {
        "path": shown(path),
        "nodename": facts.nodename,
        "release": facts.release,
        "crash_time": facts.crash_time,
        "complete": kernel.facts.complete,
        **{key: found[key] for key in keys},
    }
