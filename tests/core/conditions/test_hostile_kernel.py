"""A kernel whose memory lies: pages of real dumps with words overwritten, so that lists, trees, counts and strings lie.

Whatever is overwritten, a report comes within its time and memory, and nothing but OopscopeError is ever raised; what a
section met of its own faults would be among the problems. `python tests/core/conditions/test_hostile_kernel.py 1 500`
runs more seeds by hand.
"""

import gc
import resource
import struct
import sys
import time
from functools import cache
from random import Random

import pytest

from builders.altered import DUMPS, Altered, stored
from oopscope.boot.attach import attach
from oopscope.errors import OopscopeError
from oopscope.report import html, markdown, text
from oopscope.report.build import build, sections
from oopscope.subsystems import TABLES

NAMES = sorted(path.name for path in DUMPS.glob("*.kdump"))
EVERYTHING = [*("dump", "system", "verdict", "findings"), *(key for key, _ in TABLES if key != "system")]
SEEDS = range(10)
SECONDS = 10  # of processor time
BYTES = 300 << 20


class Liar:
    """Overwrites words of some pages, always the same for one seed and page; never in the frames `spared`."""

    def __init__(self, seed: int, spared: range) -> None:
        self._seed, self._spared = seed, spared
        random = Random(seed)
        self._rate = random.choice((0.02, 0.1, 0.4))
        self._words = random.choice((1, 4, 32, 300))

    def __call__(self, pfn: int, page: bytes) -> bytes:
        random = Random(self._seed * 1_000_003 + pfn)
        if pfn in self._spared or random.random() > self._rate:
            return page
        lies = bytearray(page)
        for _ in range(random.randint(1, self._words)):
            self._lie(random, lies)
        return bytes(lies)

    @staticmethod
    def _lie(random: Random, page: bytearray) -> None:
        at = random.randrange(0, len(page), 8)
        (other,) = struct.unpack_from("<Q", page, random.randrange(0, len(page), 8))
        (old,) = struct.unpack_from("<Q", page, at)
        word = random.choice(
            (
                0,
                1,
                (1 << 64) - 1,
                1 << 63,
                0x7FFFFFFF,
                0xFFFFFFFF,
                other,  # another pointer: a list that goes on elsewhere, or round and round
                old ^ 1 << random.randrange(64),
                old + random.choice((-8, 8, 64, 4096)) & (1 << 64) - 1,
                random.getrandbits(64),
                int.from_bytes(b"\x1b]0;\x07[b]", "little"),  # text that would write to a terminal
            )
        )
        struct.pack_into("<Q", page, at, word)


@cache
def image(name: str) -> range:
    """Return the page frames of the kernel's image: with those spared, symbols and types are whole, and reads go on."""
    kernel = attach(stored(name), lambda _text: None)
    start, end = kernel.symbol("_stext"), kernel.symbol("_end")
    first = kernel.memory.translate(start) >> 12
    return range(first, first + (end - start >> 12) + 1)


def report_of(name: str, seed: int) -> tuple[float, dict[str, object] | None]:
    """Return the processor time of a whole report of a lying dump, and the report; None where it cannot be opened."""
    gc.collect(1)  # an earlier kernel is a cycle of objects, and a young one
    liar = Liar(seed, image(name) if seed % 3 else range(0))
    start = time.process_time()
    try:
        kernel = attach(Altered(stored(name), change=liar, bare=seed % 4 == 3), lambda _text: None)
    except OopscopeError:
        return time.process_time() - start, None
    report = build(kernel, sections(EVERYTHING), stacks=True)
    for module in (text, markdown, html):
        shown = module.render(report)
        assert "\x1b" not in shown
    return time.process_time() - start, report


def faults(report: dict[str, object] | None) -> list[str]:
    """Return what the sections' boundaries caught that was a fault of the program's own."""
    problems = report["problems"] if report else []
    assert isinstance(problems, list)
    return [f"{p['section']}: {p['message']}" for p in problems if "own" in p["message"] and "fault" in p["message"]]


@pytest.mark.thorough
@pytest.mark.parametrize("seed", SEEDS)
def test_a_lying_kernel(seed: int) -> None:
    name, before = NAMES[seed % len(NAMES)], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, report = report_of(name, seed)
    assert not faults(report)
    assert seconds < SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < BYTES


def main() -> None:
    """Run more seeds by hand: FIRST LAST; prints what fails, and the slowest and largest."""
    import traceback

    first, last = int(sys.argv[1]), int(sys.argv[2])
    for seed in range(first, last):
        name = NAMES[seed % len(NAMES)]
        try:
            seconds, report = report_of(name, seed)
        except Exception:  # noqa: BLE001 - what a run by hand shows
            print(seed, name, "RAISED", traceback.format_exc())
            continue
        for fault in faults(report):
            print(seed, name, fault)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        if seconds > 2 or peak > 250:
            print(seed, name, f"{seconds:.1f} s, {peak} MiB at the most so far")
    print("done", first, last, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, "MiB")


if __name__ == "__main__":
    main()
