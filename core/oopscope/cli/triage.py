"""Print one line of JSON for each dump: why each machine of a fleet died. Folders are searched for dumps.

Dumps of the same signature died of the same bug; --format text puts them together, the most frequent first.
"""

import argparse
import gc
import json
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from oopscope.cli import DONE, NOT_A_DUMP, complain
from oopscope.cli.common import add_known, write
from oopscope.dumps import find_dumps, find_format
from oopscope.errors import OopscopeError
from oopscope.report.cells import printable
from oopscope.sources.file import FileSource
from oopscope.sources.names import is_named_so
from oopscope.sources.remote import Location, location, shown
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
    paths = list(_expand(args.paths))
    if not paths:
        return complain("no dumps there", NOT_A_DUMP)
    lines = []
    for line in _results(paths, max(args.jobs, 1)):
        lines.append(line)
        if args.format == "json":
            write(json.dumps(line) + "\n")
        if sys.stderr is not None and sys.stderr.isatty() and (args.format == "text" or not sys.stdout.isatty()):
            end = "\n" if len(lines) == len(paths) else ""
            sys.stderr.write(f"\r\x1b[K{len(lines)} of {len(paths)} dumps{end}")
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


def _expand(paths: list[Location]) -> Iterator[Location]:
    for path in paths:
        if isinstance(path, Path) and path.is_dir():
            yield from _whole(find_dumps(path, named=is_named_so))
        else:
            yield path


def _whole(found: Iterable[Path]) -> Iterator[Path]:
    """Leave out the parts of a split set but for its first, which stands for all."""
    parts: set[Path] = set()
    for path in found:
        if path not in parts:
            parts.update(_companions(path))
            yield path


def _companions(path: Path) -> Sequence[Path]:
    try:
        source = FileSource(path)
        line = find_format(source, guess=False)
        companions = getattr(import_module(line.module), "companions", None) if line else None
        return companions(source) if companions else ()
    except (OSError, OopscopeError):
        return ()


def _results(paths: list[Location], jobs: int) -> Iterator[dict[str, Any]]:
    """Yield the dumps' lines in their order, also of those whose reading ends the process that does it."""
    if jobs == 1 or len(paths) == 1:
        yield from map(one, paths)
        return
    done = 0
    with _pool(jobs) as pool, suppress(BrokenProcessPool):
        for line in pool.map(one, paths):
            done += 1
            yield line
    for path in paths[done:]:  # one of them ended it: each by itself
        with _pool(1) as pool:
            try:
                yield pool.submit(one, path).result()
            except BrokenProcessPool:
                yield {"path": shown(path), "error": f"{shown(path)}: the process that read it was killed"}


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes; an interrupt waits for nothing that has not begun."""
    pool = ProcessPoolExecutor(jobs, initializer=_deaf)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _deaf() -> None:
    """Leave interrupts to the process that waits."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def one(path: Location) -> dict[str, Any]:
    """Return one dump's line, and let go of all that was read of it."""
    line = _line(path)
    gc.collect()  # a kernel and what is kept of it refer to each other; a few of them are a hundred MB
    return line


def _line(path: Location) -> dict[str, Any]:
    """Return one dump's line: path, host, kernel, time, cause and signature, or `error`."""
    from oopscope.boot.attach import open_kernel
    from oopscope.linux.system import the_system
    from oopscope.report.build import known_section, verdict_data
    from oopscope.triage import verdict

    try:
        kernel = open_kernel([path])
        facts, found, known = the_system(kernel), verdict_data(verdict(kernel)), known_section(kernel)
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
        "known": known,
    }
