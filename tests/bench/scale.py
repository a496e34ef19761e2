"""What the largest machines cost: by hand, `python tests/bench/scale.py [--tib N] [DUMP ...]`.

Of each dump the tables that grow with a machine are printed one by one, each in a process of its own, with the
processor's time and the highest memory; asked is 3 s and 200 MB of each with 20,000 tasks, 200,000 mappings, 100,000
sockets and 100,000 dentries. Make such a dump with the lab: `crowd.c` and `sleepers.c` of this folder, built static, as
the last acts of a guest of 3 GB (`crowd 100000 200000 100000`, `sleepers 20 1000`, then SysRq-c). Before them a
container of a machine with N TiB (1) is made, sparse, with two pages, and opened.
"""

import argparse
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.report import Run, cells_of, machine, oopscope, run, table
from builders import text_page
from builders.kdump import Kdump

SECONDS, MOST = 3.0, 200 << 20
PAGE, BLOCK = 4096, 4096
OPEN = "import sys; from oopscope.dumps import open_path; open_path(sys.argv[1]).page(1)"
COUNT = "import sys; from oopscope.dumps import open_path; d = open_path(sys.argv[1]); d.page(1); d.ranges(); d.facts()"
TABLES = ("tasks", "sockets", "waits", "stacks", "filesystems", "pagecache", "slabs", "vmallocs", "epolls")


def sparse_kdump(path: Path, tib: int) -> None:
    """Write a dump of a machine with so many TiB of RAM, of which two pages are saved: the second and the last."""
    pages = (tib << 40) // PAGE
    blocks = pages // 8 // BLOCK
    head = bytearray(Kdump({1: text_page(1)}, max_mapnr=1).build()[: 2 * BLOCK])
    struct.pack_into("<II", head, 436, 2 * blocks, min(pages, 0xFFFFFFFF))
    struct.pack_into("<Q", head, BLOCK + 96, pages)
    with path.open("wb") as file:
        file.write(head)
        for _ in range(blocks * BLOCK >> 20):
            file.write(b"\xff" * (1 << 20))
        second = (2 + blocks) * BLOCK
        for at, bits in ((second, 0b10), (second + blocks * BLOCK - 1, 0x80)):
            file.seek(at)
            file.write(bytes([bits]))
        at = (2 + 2 * blocks) * BLOCK
        file.seek(at)
        packed = [zlib.compress(text_page(n)) for n in (1, pages - 1)]
        at += 24 * len(packed)
        for data in packed:
            file.write(struct.pack("<QIIQ", at, len(data), 1, 0))
            at += len(data)
        file.write(b"".join(packed))


def container(tib: int) -> Iterator[tuple[str, Run]]:
    """Measure opening and counting a container of so many TiB."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vmcore"
        sparse_kdump(path, tib)
        yield f"{tib} TiB: opened, one page", run([sys.executable, "-c", OPEN, str(path)])
        yield f"{tib} TiB: with ranges and counts", run([sys.executable, "-c", COUNT, str(path)])


def grown(dump: Path) -> Iterator[tuple[str, Run]]:
    """Measure each table of a dump that grows with its machine, and the mappings of the task that has the most."""
    for key in TABLES:
        yield key, run(oopscope("show", key, str(dump), "--format", "json"))
    command = [*oopscope("show", "tasks", str(dump)), "--where", "comm:crowd", "--columns", "pid", "--format", "csv"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    if len(found) > 1:
        yield "mappings of crowd", run(oopscope("vm", str(dump), found[1]))


def main() -> int:
    """Print the table; the status says whether all kept within what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dumps", nargs="*", type=Path, metavar="DUMP")
    parser.add_argument("--tib", type=int, default=1, metavar="N", help="size of the machine that is made (1)")
    args = parser.parse_args()
    print(f"{machine()}. One run each.\n")
    over, rows = 0, []
    for name, cost in (*container(args.tib), *(one for dump in args.dumps for one in grown(dump))):
        kept = cost.processor <= SECONDS and cost.bytes <= MOST
        over += not kept
        rows.append([name, *cells_of(cost), "yes" if kept else "NO"])
    print(table(["", "seconds", "processor", "memory", "within 3 s, 200 MB"], rows))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
