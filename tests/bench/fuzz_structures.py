"""Rewrite what a real dump says of itself, structure by structure, and read it all: nothing but our own errors comes.

Members of structs that lists and tables go by, BTF, kallsyms, ORC, VMCOREINFO, page tables, stacks: each with numbers
that such a thing would have if it lied. Run by hand, alone or many seconds of it:

    python tests/bench/fuzz_structures.py --seconds 900 [--seed N] [--dump NAME] [--kind KIND]

The seconds are of its own processor time, so that a busy machine takes none of them away. A finding is a fault of ours
among the problems, any exception that is no OopscopeError, or too much time or memory; it is printed with what makes it
again. The counts are printed every minute, and at the end or on Ctrl-C.
"""

import argparse
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from builders.altered import DUMPS, Altered, stored
from oopscope import errors
from oopscope.boot.attach import attach
from oopscope.errors import OopscopeError
from oopscope.linux.module import module_list
from oopscope.linux.task import task_structs
from oopscope.report import html, markdown, text
from oopscope.report.build import build, sections
from oopscope.subsystems import TABLES

EVERYTHING = [*("dump", "system", "verdict"), *(key for key, _ in TABLES if key != "system")]
SECONDS, BYTES = 20, 400 << 20  # of processor time, of memory
MINUTE = 60
OURS = "a fault of oopscope's own"
KINDS = ("members", "btf", "kallsyms", "orc", "vmcoreinfo", "tables", "stacks", "log", "modules")


class Map:
    """Where the structures of a dump lie: physical ranges by kind."""

    def __init__(self, name: str) -> None:
        self.dump = stored(name)
        kernel = attach(self.dump, lambda _text: None)
        self.kernel = kernel
        self.ranges: dict[str, list[tuple[int, int]]] = {kind: [] for kind in KINDS}
        tasks = kernel.cached(task_structs)
        size = kernel.types.sizeof("task_struct")
        for task in tasks.values():
            self._add("members", task.address, size)
            for pointer in (task.mm, task.signal, task.real_cred):
                self._add("members", pointer, 512)
            self._add("stacks", task.sp & -4096, 4096)
        for symbol, most in (("init_task", 4096), ("slab_caches", 64), ("modules", 64), ("super_blocks", 64),
                             ("runqueues", 512), ("__per_cpu_offset", 512), ("tk_core", 512)):  # fmt: skip
            self._add("members", kernel.find_symbol(symbol) or 0, most)
        for kind, table in (("btf", "BTF"), ("orc", "orc_unwind"), ("orc", "orc_unwind_ip")):
            first, last = f"__start_{table}", f"__stop_{table}"
            start, end = kernel.find_symbol(first), kernel.find_symbol(last)
            if start and end:
                self._add(kind, start, end - start)
        found = kernel.symbols.tables
        for at, length in ((found.names, 1 << 20), (found.markers, 4096), (found.token_table, 2048),
                           (found.offsets, 1 << 19), (found.token_index, 512), (found.seqs, 1 << 19)):  # fmt: skip
            self._add("kallsyms", at, length)
        self._add("tables", kernel.info.symbol("swapper_pg_dir") or kernel.info.symbol("init_top_pgt") or 0, 4096)
        prb = kernel.info.symbol("prb") or kernel.info.symbol("log_buf") or 0
        self._add("log", prb, 64)
        with suppress(OopscopeError):
            self._add("log", kernel.memory.word(prb), 256)
        for module in kernel.cached(module_list):
            self._add("modules", module.row.address, 1024)

    def _add(self, kind: str, address: int, size: int) -> None:
        """Take a virtual range, of which pages that are not there are left out."""
        if not address:
            return
        for page in range(address & -4096, address + size, 4096):
            try:
                at = self.kernel.memory.translate(max(page, address))
            except OopscopeError:
                continue
            self.ranges[kind].append((at, min(page + 4096, address + size) - max(page, address)))


def lie(random: Random, page: bytearray, at: int, pointers: list[int]) -> None:
    """Write over a word what a lying structure would have there."""
    width = random.choice((1, 2, 4, 8, 8, 8))
    at -= at % width
    old = int.from_bytes(page[at : at + width], "little")
    value = random.choice((
        0, 1, (1 << 8 * width) - 1, 1 << 8 * width - 1, old + 1, old - 1, old ^ 1 << random.randrange(8 * width),
        old << 1, -old, random.choice(pointers), random.choice(pointers) + random.choice((1, 8, 4096)),
        random.getrandbits(8 * width), 0xFFFF888000000000 + random.getrandbits(28), 0x7FFFFFFF, 4096,
    ))  # fmt: skip
    page[at : at + width] = (value % (1 << 8 * width)).to_bytes(width, "little")


def vmcoreinfo(random: Random, raw: bytes) -> bytes:
    """Change some lines of VMCOREINFO's text, its length kept."""
    lines = raw.split(b"\n")
    for _ in range(random.choice((1, 1, 2, 8))):
        n = random.randrange(len(lines))
        key, equals, value = lines[n].partition(b"=")
        other = random.choice(
            (b"-64", b"0", b"-1", b"f" * 16, b"9" * 24, b"", b"\xff\xfe", value[::-1], value[:-1] + b"0")
        )
        lines[n] = random.choice((key + equals + other, b"", key, other + equals + value))
    return b"\n".join(lines)


class Lying(Altered):
    """A dump whose VMCOREINFO lies."""

    info = staticmethod(lambda raw: raw)

    def notes(self) -> Iterator[Any]:
        for note in super().notes():
            yield note._replace(desc=self.info(note.desc)) if note.name == "VMCOREINFO" else note


def altered(mapped: Map, kind: str, random: Random) -> Altered:
    """Return the dump with some lies of one kind."""
    places = mapped.ranges[kind]
    pages: dict[int, bytes] = {}
    pointers = [task.address for task in list(mapped.kernel.cached(task_structs).values())[:50]]
    for _ in range(random.choice((1, 1, 2, 4, 16, 64)) if places else 0):
        start, size = random.choice(places)
        at = start + random.randrange(max(size, 1))
        try:
            page = bytearray(pages.get(at >> 12) or mapped.dump.page(at >> 12))
        except OopscopeError:
            continue
        lie(random, page, at & 4095, pointers)
        pages[at >> 12] = bytes(page)
    dump = Lying(mapped.dump, pages=pages)
    if kind == "vmcoreinfo":
        dump.info = lambda raw: vmcoreinfo(random, raw)
    return dump


def read(dump: Altered) -> list[str]:
    """Read everything; return the faults that were found."""
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found: list[str] = []
    try:
        report = build(attach(dump, lambda _text: None), sections(EVERYTHING), stacks=True)
        found += [p["message"] for p in report["problems"] if OURS in p["message"]]
        rules = [p["message"] for p in report["problems"] if p["message"].startswith("rule ")]
        found += [said for said in rules if not hasattr(errors, said.split(": ")[1])]  # our own are no fault
        for form in (text, markdown, html):
            form.render(report)
    except OopscopeError:
        pass
    except Exception:  # noqa: BLE001 - the finding
        found.append(traceback.format_exc())
    if time.process_time() - started > SECONDS:
        found.append(f"{time.process_time() - started:.0f} s")
    if (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 > BYTES:
        found.append(f"{(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10} MiB")
    return found


def main() -> int:
    """Run until the time is over, or until Ctrl-C."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dump", default="")
    parser.add_argument("--kind", default="")
    args = parser.parse_args()
    names = [args.dump] if args.dump else sorted(p.name for p in DUMPS.glob("*.kdump"))[::3]
    counts = Counts(args.seed)
    with suppress(KeyboardInterrupt):
        for seed in count(args.seed):
            if time.process_time() >= args.seconds:
                break
            random = Random(seed)
            name, kind = random.choice(names), args.kind or random.choice(KINDS)
            if name not in counts.maps:
                counts.maps[name] = Map(name)
            counts.add(name, kind, read(altered(counts.maps[name], kind, random)))
    counts.print()
    return bool(counts.findings)


class Counts:
    """What was run so far, and what was found; printed as it goes, for a run may be ended at any time."""

    def __init__(self, seed: int) -> None:
        self.seed, self.findings, self.printed = seed, 0, 0.0
        self.kinds = Counter[str]()
        self.maps: dict[str, Map] = {}

    def add(self, name: str, kind: str, faults: list[str]) -> None:
        """Count a dump that was read, and print its faults."""
        for fault in faults:
            self.findings += 1
            print(f"--seed {self.seed} {name} {kind}: {fault}", flush=True)
        self.kinds[kind] += 1
        self.seed += 1
        if time.process_time() - self.printed > MINUTE:
            self.print()

    def print(self) -> None:
        """Print the counts."""
        self.printed = time.process_time()
        done = f"{self.printed:.0f} s: {self.kinds.total()} dumps, {self.findings} findings, next --seed {self.seed}"
        print(f"{done}: {dict(self.kinds)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
