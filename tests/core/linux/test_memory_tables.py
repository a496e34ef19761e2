"""Memory's tables against what /proc said just before the guest died."""

import re

from builders.altered import changed
from cases import case_of
from core.linux.account import account
from oopscope.kernel.kernel import Kernel
from oopscope.linux.cgroup import cgroups
from oopscope.linux.free_lists import FREE_AREA, free_lists
from oopscope.linux.huge_pages import huge_pages
from oopscope.linux.meminfo import all_counters
from oopscope.linux.node import nodes
from oopscope.linux.swap import SWAP, swap_areas
from oopscope.linux.vmalloc_users import vmalloc_users
from oopscope.linux.vmstat import vmstat

LIFE = "6.1-life"
NUMBER = re.compile(r"(\S+?):? +(\d+)(?: kB)?$")
STILL = {
    "MemTotal", "SwapTotal", "SwapFree", "Mlocked", "Unevictable", "CommitLimit", "Percpu", "HugePages_Total",
    "HugePages_Free", "Hugepagesize", "Hugetlb", "DirectMap4k", "DirectMap2M", "DirectMap1G", "NFS_Unstable", "Bounce",
    "WritebackTmp", "VmallocChunk", "SecPageTables",
}  # fmt: skip


def kernel() -> Kernel:
    return case_of(LIFE).kernel


def told(part: str) -> dict[str, int]:
    return {found[1]: int(found[2]) for line in account(LIFE)[part] if (found := NUMBER.match(line))}


def test_every_row_of_proc_meminfo_in_its_order() -> None:
    rows = {row.name: row.bytes for row in all_counters(kernel())}
    lines, size = told("mem2"), told("mem2")["Hugepagesize"]
    assert list(rows) == list(lines)
    for name in STILL:
        each = size if name.startswith("HugePages_") else 1
        assert rows[name] == lines[name] * each * 1024, name
    for name in ("MemFree", "MemAvailable", "Cached", "Slab", "VmallocUsed", "PageTables", "KernelStack"):
        assert abs(rows[name] / 1024 - lines[name]) < 0.05 * lines[name] + 1500, name
    assert rows["VmallocTotal"] == 32 << 40  # the kernel prints a byte less


def test_every_row_of_proc_vmstat_in_its_order() -> None:
    rows, lines = {row.name: row for row in vmstat(kernel())}, told("vmstat2")
    assert list(rows) == list(lines)
    assert len([name for name, value in lines.items() if rows[name].value == value]) > 0.9 * len(lines)
    for name, value in lines.items():
        assert abs(rows[name].value - value) <= 0.05 * value + 300, name
    assert (rows["pgfault"].kind, rows["nr_free_pages"].kind, rows["numa_hit"].kind) == ("event", "zone", "numa")


def test_free_lists_by_order_and_type() -> None:
    rows = {(row.zone, row.order): row for row in free_lists(kernel())}
    for line in account(LIFE)["buddy2"]:
        words = line.split()
        for order, count in enumerate(map(int, words[4:])):
            assert abs(rows[words[3], order].blocks - count) <= 16
    for row in rows.values():
        counts = [int(one.rpartition(" ")[2]) for one in row.types or ()]
        assert sum(counts) == row.blocks
    assert {one.rpartition(" ")[0] for row in rows.values() for one in row.types or ()} >= {"Unmovable", "Movable"}


def test_blocks_that_are_not_on_their_lists_are_said() -> None:
    def more(kernel: Kernel) -> tuple[int, bytes]:
        zones = kernel.types.member("pglist_data", "node_zones").offset
        first = kernel.memory.words(kernel.symbol("node_data"), 1)[0] + zones
        area = first + kernel.types.member("zone", "free_area").offset
        count = kernel.bind(FREE_AREA).row(area).nr_free
        return area + kernel.bind(FREE_AREA).offset("nr_free"), (count + 3).to_bytes(8, "little")

    found = changed(LIFE, more)
    assert free_lists(found)[0].types is None
    assert "blocks on the lists of what counts" in next(iter(found.problems)).message


def test_swap_areas() -> None:
    (line,) = [line.split() for line in account(LIFE)["swaps"] if line.startswith("/")]
    (area,) = swap_areas(kernel())
    assert [area.path, area.kind, str(area.size >> 10), str(area.priority)] == [*line[:3], line[4]]
    assert area.state == "on"


def test_an_area_with_more_in_use_than_it_has_is_none() -> None:
    def full(kernel: Kernel) -> tuple[int, bytes]:
        area = swap_areas(kernel)[0].address
        return area + kernel.bind(SWAP).offset("inuse"), (1 << 30).to_bytes(4, "little")

    found = changed(LIFE, full)
    assert swap_areas(found) == []
    assert "more pages in use" in next(iter(found.problems)).message


def test_control_groups_with_their_limits() -> None:
    rows = {row.path: row for row in cgroups(kernel())}
    lines = [line.split(" ") for line in account(LIFE)["cgfiles"] if line.startswith("/cg")]
    assert set(rows) == {words[0].removeprefix("/cg") or "/" for words in lines}
    for path, _procs, memory, most, high, pids, pids_max, *_swap in (
        words for words in lines if len(words) > 6 and words[3]
    ):
        row = rows[path.removeprefix("/cg")]
        assert abs(row.memory - int(memory)) < 1 << 18
        assert [row.memory_max, row.memory_high, row.pids_max] == [
            None if limit == "max" else int(limit) for limit in (most, high, pids_max)
        ]
        assert row.pids == int(pids)
    assert rows["/shop.slice/cart"].processes == rows["/kubepods.slice/pod42"].processes == 1
    assert rows["/shop.slice"].memory_share == round(100 * rows["/shop.slice"].memory / (32 << 20), 1)


def test_vmalloc_by_caller() -> None:
    lines = account(LIFE)["vmallocinfo"]
    rows = {(row.caller, row.kind): row for row in vmalloc_users(kernel())}
    hoard = [row for row in rows.values() if row.module == "lablife"]
    assert {row.kind for row in hoard} == {"vmalloc"}
    # the fourth call was made in what is freed when the module is loaded, and has no name any more
    assert (sum(row.areas for row in hoard), sum(row.memory for row in hoard)) == (3, 3 << 20)
    for (caller, kind), row in rows.items():
        mine = [line for line in lines if f" {caller}/" in line and kind in line]
        assert abs(row.areas - len(mine)) <= 6, caller


def test_huge_pages_and_nodes() -> None:
    large, pool = huge_pages(kernel())
    assert (large.bytes, large.total) == (1 << 30, 0)
    lines = told("mem2")
    assert (pool.bytes >> 10, pool.total, pool.free) == (2048, lines["HugePages_Total"], lines["HugePages_Free"])
    (node,) = nodes(kernel())
    assert (node.node, node.failures) == (0, 0)
    assert node.managed >> 10 == lines["MemTotal"]
    assert case_of(LIFE).tasks[node.kswapd]["comm"] == "kswapd0"
