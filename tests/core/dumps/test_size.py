"""Dumps of very large machines: opened at once, in bounded memory, and counted in time. The files are sparse."""

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from builders import text_page
from builders.kdump import Kdump
from oopscope.dumps import open_path

TIB = 1 << 40
CHILD = """
import sys, time
sys.path[:0] = {path!r}
from oopscope.dumps import open_path
started = time.process_time()
dump = open_path({name!r})
page = dump.page(1)
opened = time.process_time() - started
top = dump.page({top})
ranges = dump.ranges()
facts = dump.facts()
most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]
print(opened, time.process_time() - started, most)
print(page[:8], top[:8], facts.pages_saved, facts.pages_total, ranges)
"""


def sparse_kdump(path: Path, tib: int, ram_everywhere: bool) -> int:
    """Write a dump of so many TiB with two pages, the first and the last; its RAM is all of it, or those two."""
    pages = tib * TIB // 4096
    block = 4096
    bitmap_blocks = pages // 8 // block
    head = bytearray(Kdump({1: text_page(1)}, max_mapnr=1).build()[: 2 * block])
    struct.pack_into("<I", head, 436, 2 * bitmap_blocks)
    struct.pack_into("<I", head, 440, min(pages, 0xFFFFFFFF))
    struct.pack_into("<Q", head, block + 96, pages)
    bitmap_at, descriptors = 2 * block, (2 + 2 * bitmap_blocks) * block
    with path.open("wb") as f:
        f.write(head)
        for start in (bitmap_at, bitmap_at + bitmap_blocks * block):
            if ram_everywhere and start == bitmap_at:
                for _ in range(bitmap_blocks * block >> 20):
                    f.write(b"\xff" * (1 << 20))
                continue
            for at, bits in ((start, 0b10), (start + bitmap_blocks * block - 1, 0x80)):
                f.seek(at)
                f.write(bytes([bits]))
        f.seek(descriptors)
        packed = [zlib.compress(text_page(n)) for n in (1, pages - 1)]
        at = descriptors + 48
        for data in packed:
            f.write(struct.pack("<QIIQ", at, len(data), 1, 0))
            at += len(data)
        f.write(b"".join(packed))
    return pages


@pytest.mark.thorough
@pytest.mark.parametrize("tib, ram_everywhere", [(1, True), (6, False)])
def test_a_huge_machine_opens_at_once_and_in_little_memory(tmp_path: Path, tib: int, ram_everywhere: bool) -> None:
    path = tmp_path / "vmcore"
    pages = sparse_kdump(path, tib, ram_everywhere)
    script = CHILD.format(path=sys.path, name=str(path), top=pages - 1)
    run = subprocess.run([sys.executable, "-"], input=script, capture_output=True, text=True, check=True)
    times, seen = run.stdout.splitlines()
    opened, everything, memory = map(float, times.split())
    assert opened < 1
    assert everything < 5
    assert memory < 100 << 10  # KiB
    ranges = [(0, tib * TIB)] if ram_everywhere else [(4096, 8192), (tib * TIB - 4096, tib * TIB)]
    total = pages if ram_everywhere else 2
    assert seen == f"b'page 0x1' {text_page(pages - 1)[:8]} 2 {total} {ranges}"  # type: ignore[str-bytes-safe]


def test_hostile_bitmap_of_alternate_pages_gives_bounded_ranges(tmp_path: Path) -> None:
    path = tmp_path / "vmcore"
    pages = 1 << 24
    raw = bytearray(Kdump({1: text_page(1)}, max_mapnr=pages).build())
    raw[8192 : 8192 + pages // 8] = b"\x55" * (pages // 8)
    path.write_bytes(raw)
    started = time.process_time()
    ranges = open_path(path).ranges()
    assert time.process_time() - started < 3
    assert len(ranges) <= (1 << 16) + 1
    assert ranges[-1][1] == pages << 12
