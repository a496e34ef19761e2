"""A fuzzer over the readers, by hand: `PYTHONPATH=core:tests python tests/bench/fuzz.py SECONDS [--jobs N]`.

A case is a number, and can be run again alone (`--case N`). Half of the cases are built dumps of every container whose
bytes were changed, the others whole reports of real dumps whose pages were: bytes flipped, pointers that point
elsewhere or back to themselves, numbers at their extremes, pages gone. Each must end in OopscopeError or a report,
within time and memory, with no fault of the program's own among the problems and no control character in the text.
"""

import argparse
import json
import random
import resource
import selectors
import signal
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import stored
from builders.altered import Altered
from builders.fixtures import FIXTURES
from oopscope.boot.attach import attach
from oopscope.dumps import Dump, Facts, open_container, open_path
from oopscope.errors import MissingPage, NotADump, OopscopeError
from oopscope.report import html, markdown, text
from oopscope.report.blocked import add_stacks
from oopscope.report.build import build, sections
from oopscope.sources.file import BytesSource
from oopscope.stacks.registers import registers
from oopscope.subsystems import TABLES

DUMPS = sorted(stored.DUMPS.glob("*.kdump"))
SECONDS = 10  # of processor time for one case
MEMORY = 1 << 30  # bytes of address space beyond what the interpreter begins with
PAGE = 4096
SILENCE = 60  # seconds without a word from a child, after which it hangs
NUMBERS = (0, 1, 7, 0xFF, 0x7FFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
ALLOWED = frozenset("\n\t")
FIXED = [(key, name) for key in FIXTURES for name in FIXTURES[key]]


class TooLong(BaseException):
    """A case took more processor time than it may; nothing catches it on the way."""


def changed_bytes(rng: random.Random, raw: bytes) -> bytes:
    """Return a file with something done to it: flips, numbers, a cut, a piece doubled or taken out."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if not data:
            break
        at = rng.randrange(min(len(data), rng.choice((64, 512, 5000, 20_000, len(data)))))
        kind = rng.randrange(8)
        if kind < 3:
            data[at] = rng.randrange(256)
        elif kind < 6:
            size = rng.choice((2, 4, 8))
            number = rng.choice(NUMBERS) + rng.choice((-1, 0, 0, 1))
            data[at : at + size] = (number % (1 << 8 * size)).to_bytes(size, rng.choice(("little", "big")))
        elif kind == 6:
            del data[at : at + rng.choice((1, 8, 4096, len(data)))]
        else:
            data[at:at] = data[at : at + rng.choice((1, 8, 64, 4096))]
    return bytes(data)


def container(rng: random.Random) -> str:
    """Change a built dump and ask everything of it; return what was done."""
    key, name = rng.choice(FIXED)
    files = FIXTURES[key][name]()
    for path in rng.sample(sorted(files), rng.randint(1, len(files))):
        files[path] = changed_bytes(rng, files[path])
    try:
        dump = open_container([BytesSource(raw, path) for path, raw in files.items()])
        if dump is not None:
            ask(dump)
    except OopscopeError:
        pass
    return f"{key} {name}"


def ask(dump: Any) -> None:
    """Ask a dump for everything that it offers."""
    facts: Facts = dump.facts()
    assert facts.bytes >= 0
    list(islice(dump.notes(), 1 << 16))
    dump.cpus()
    for address, data in islice(dump.blocks(), 200):
        assert address >= 0
        assert data
    ranges = dump.ranges()
    assert ranges == sorted(ranges)
    for pfn in {0, 1, 1 << 20, 1 << 51, *(n // dump.page_size + d for p in ranges[:16] for n in p for d in (-1, 0, 1))}:
        try:
            assert pfn < 0 or len(dump.page(pfn)) == dump.page_size
        except MissingPage:
            continue
    attach(dump, lambda _text: None)


def changer(rng: random.Random, seed: str) -> tuple[Callable[..., Any], list[str], float]:
    """Return what changes the pages of a dump, and the pages that it takes away."""
    share, per_page = rng.choice((0.002, 0.01, 0.05, 0.3, 1)), rng.choice((1, 2, 8, 40))
    kinds = rng.choice(("byte", "pointer", "number", "zero", "byte pointer number", "pointer number")).split()

    def change(pfn: int, page: bytes) -> bytes:
        own = random.Random(f"{seed} {pfn}")
        if own.random() >= share:
            return page
        data = bytearray(page)
        for _ in range(per_page):
            kind, at = own.choice(kinds), own.randrange(0, len(data), 8)
            if kind == "byte":
                data[at + own.randrange(8)] ^= 1 << own.randrange(8)
            elif kind == "number":
                size = own.choice((2, 4, 8))
                data[at : at + size] = (own.choice(NUMBERS) % (1 << 8 * size)).to_bytes(size, "little")
            elif kind == "zero":
                data[:] = bytes(len(data))
            else:
                _redirect(own, data)
        return bytes(data)

    return change, kinds, share


def _redirect(rng: random.Random, data: bytearray) -> None:
    """Let a pointer of a page point elsewhere: where another of the page does, near its target, or nowhere."""
    words = struct.unpack(f"<{len(data) // 8}Q", data)
    spots = [n for n, word in enumerate(words) if word >= 0x8000 << 48]
    if spots:
        number = words[rng.choice(spots)] + rng.choice((0, 0, 0, 8, -8, 1, 0x1000, -0x1000, 1 << 30))
        number = rng.choice((number, number, number, rng.choice(NUMBERS))) % (1 << 64)
        struct.pack_into("<Q", data, 8 * rng.choice(spots), number)


def _damaged(rng: random.Random, path: Path) -> Dump:
    """Open a real dump whose file was damaged as well."""
    dump = open_container([BytesSource(changed_bytes(rng, path.read_bytes()), path.name)])
    if dump is None or dump.page_size != PAGE:
        raise NotADump(path.name, "changed beyond recognition")
    return dump


def whole_report(rng: random.Random, seed: str) -> str:
    """Change the pages of a real dump and make a whole report of it; return what was done."""
    path = rng.choice(DUMPS)
    change, kinds, share = changer(rng, seed)
    try:
        dump = _damaged(rng, path) if rng.random() < 0.2 else open_path(path)
    except OopscopeError:
        return f"{path.stem} damaged"
    held = (
        [n for a, b in dump.ranges() for n in range(a // PAGE, min(b // PAGE, a // PAGE + 500_000))]
        if rng.random() < 0.3
        else []
    )
    holes = set(rng.sample(held, int(len(held) * rng.choice((0.01, 0.1, 0.5)))))
    done = f"{path.stem} {'+'.join(kinds)} {share} {len(holes)} holes"
    try:
        kernel = attach(Altered(dump, holes, change=change, bare=rng.random() < 0.2), lambda _text: None)
        if rng.random() < 0.2:
            kernel.know(registers, {})  # so that stacks have to be guessed
        report = build(
            kernel, sections(["dump", "system", "verdict", *(k for k, _ in TABLES)]), stacks=rng.random() < 0.7
        )
        add_stacks(kernel, report)
    except OopscopeError:
        return done
    faults = {f"{p['section']}: {p['message']}" for p in report["problems"] if "fault of oopscope" in p["message"]}
    assert not faults, sorted(faults)
    json.dumps(report)
    for render in (text.render, markdown.render, html.render):
        shown = render(report)
        strange = {c for c in shown if (ord(c) < 32 or 127 <= ord(c) < 160) and c not in ALLOWED}
        assert not strange, (render.__module__, strange)
    return done


def run_case(number: int) -> str:
    """Run one case and return what it was; whatever is raised is a finding."""
    seed = f"fuzz {number}"
    rng = random.Random(seed)
    return container(rng) if rng.random() < 0.5 else whole_report(rng, seed)


def child(first: int, step: int) -> None:
    """Run cases for ever, a line of JSON before and after each."""

    def stop(*_: Any) -> None:
        raise TooLong

    signal.signal(signal.SIGVTALRM, stop)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY + (1 << 30), MEMORY + (1 << 30)))
    number = first
    while True:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        started, found, what = time.process_time(), None, "?"
        try:
            what = run_case(number)
        except BaseException as e:  # noqa: BLE001 - that is what is looked for
            frames = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(e.__traceback__)]
            found = f"{type(e).__name__}: {str(e)[:300]} at {' < '.join(reversed(frames[-6:]))}"
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(json.dumps([number, what, time.process_time() - started, most, found]), flush=True)
        number += step


def start(first: int, step: int) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, __file__, "0", "--child", str(first), str(step)], stdout=subprocess.PIPE)


def hunt(seconds: float, jobs: int, first: int) -> int:
    """Run cases in children until time is up; print what is found, and return how many."""
    watched, last = selectors.DefaultSelector(), {}
    for n in range(jobs):
        process = start(first + n, jobs)
        watched.register(process.stdout, selectors.EVENT_READ, process)
        last[process] = (time.monotonic(), first + n - jobs)
    end, cases, findings, slowest, most = time.monotonic() + seconds, 0, 0, (0.0, 0, ""), (0, 0, "")
    while time.monotonic() < end:
        for key, _ in watched.select(1):
            line = key.fileobj.readline()
            if not line:
                last[key.data] = (0.0, last[key.data][1])
                continue
            number, what, took, memory, found = json.loads(line)
            last[key.data] = (time.monotonic(), number)
            cases, slowest = cases + 1, max(slowest, (took, number, what))
            most = most if memory <= most[0] else (memory, number, what)  # the first case that took so much
            if found:
                findings += 1
                print(f"{number}: {what}: {found}", flush=True)
        for process, (heard, number) in list(last.items()):
            if time.monotonic() - heard > SILENCE:
                findings += 1
                print(f"{number + jobs}: died or hung ({process.poll()})", flush=True)
                process.kill()
                watched.unregister(process.stdout)
                del last[process]
                process = start(number + 2 * jobs, jobs)
                watched.register(process.stdout, selectors.EVENT_READ, process)
                last[process] = (time.monotonic(), number + jobs)
    for process in last:
        process.kill()
        process.wait()
    print(f"{cases} cases, {findings} findings; slowest {slowest[0]:.2f} s ({slowest[1]}: {slowest[2]})")
    print(f"most memory {most[0]} MiB ({most[1]}: {most[2]})")
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--case", type=int)
    parser.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(*args.child)
    if args.case is not None:
        print(run_case(args.case))
        return 0
    return min(hunt(args.seconds, args.jobs, args.first), 1)


if __name__ == "__main__":
    sys.exit(main())
