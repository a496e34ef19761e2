"""Dumps of machines with terabytes: a whole report costs little more than of a small one. The files are sparse."""

import json
import os
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cases import DUMPS
from core.routes.made import ROUTES, Machine
from oopscope.dumps import open_path

PATH = DUMPS / "6.1-null.kdump"
BLOCK, TIB = 4096, 1 << 40
CHILD = """
import json, sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from oopscope.boot.attach import open_kernel
from oopscope.report.build import build
started = time.process_time()
report = build(open_kernel([Path({name!r})]), stacks=True)
spent = time.process_time() - started
most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
json.dump([spent, int(most), report], sys.stdout)
"""


def grow(path: Path, tib: Any, ram_everywhere: Any) -> Any:
    """Write PATH as the dump of a machine with so many TiB, whose other pages were left out or are no RAM."""
    raw, h = PATH.read_bytes(), open_path(PATH).header  # type: ignore[attr-defined]
    pages = tib * TIB // BLOCK
    old, new = h.bitmap_blocks // 2 * BLOCK, pages // 8
    ram, saved, rest = (
        raw[a:b] for a, b in ((h.bitmap, h.bitmap + old), (h.bitmap + old, h.descriptors), (h.descriptors, None))
    )
    head = bytearray(raw[: h.bitmap])
    struct.pack_into("<II", head, 436, 2 * new // BLOCK, min(pages, 0xFFFFFFFF))
    struct.pack_into("<Q", head, BLOCK + 96, pages)
    count = sum(byte.bit_count() for byte in saved)
    moved = h.bitmap + 2 * new - h.descriptors
    table = b"".join(
        struct.pack("<QIIQ", offset + moved, size, flags, 0)
        for offset, size, flags, _ in struct.iter_unpack("<QIIQ", rest[: 24 * count])
    )
    with path.open("wb") as f:
        f.write(head + ram)
        for _ in range((new - old) // BLOCK if ram_everywhere else 0):
            f.write(b"\xff" * BLOCK)
        f.seek(h.bitmap + new)
        f.write(saved)
        f.seek(h.bitmap + 2 * new)
        f.write(table + rest[24 * count :])
    return pages


SPARE = 5  # seconds of a processor, for a busy machine: what grew with the memory would take minutes


def report(path: Path) -> Any:
    """Report in a process of its own: (processor seconds, KiB at the most, report)."""
    script = CHILD.format(path=sys.path, name=str(path))
    done = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@cache
def report_of_small() -> Any:
    """That of the machine which is made large."""
    return report(PATH)


@pytest.mark.thorough
@pytest.mark.parametrize("tib, ram_everywhere", [(1, True), (6, False)])
def test_a_report_costs_little_more_than_of_a_small_machine(tmp_path: Path, tib: int, ram_everywhere: bool) -> None:
    small_seconds, _, small = report_of_small()
    pages = grow(tmp_path / "vmcore", tib, ram_everywhere)
    seconds, memory, large = report(tmp_path / "vmcore")
    assert seconds < small_seconds + SPARE
    assert memory < 200 << 10
    dump = large.pop("dump")
    assert dump["pages_saved"] == small["dump"]["pages_saved"]
    assert dump["pages_total"] == (
        small["dump"]["pages_total"] if not ram_everywhere else pytest.approx(pages, rel=0.01)
    )
    assert large == {key: value for key, value in small.items() if key != "dump"}


@pytest.mark.thorough
def test_the_holes_of_a_sparse_image_are_not_read(tmp_path: Path) -> None:
    (path,) = ROUTES["raw"](Machine(PATH), tmp_path)
    os.truncate(path, 64 << 30)
    small_seconds, _, small = report_of_small()
    seconds, memory, large = report(path)
    assert large["tasks"] == small["tasks"]
    assert large["verdict"] == small["verdict"]
    assert seconds < small_seconds + SPARE
    assert memory < 200 << 10
