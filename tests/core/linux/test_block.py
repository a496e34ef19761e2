"""Disks and what is in flight against the guest's own account: one disk of it never answers."""

from cases import case_of
from core.linux.account import account
from oopscope.linux.block import disks, requests


def test_disks() -> None:
    rows = {row.name: row for row in disks(case_of("6.1-life").kernel)}
    for line in account("6.1-life")["partitions"]:
        words = line.split()
        if len(words) == 4 and words[0].isdigit():
            assert rows[words[3]].bytes == int(words[2]) << 10
    told = [line.split()[2] for line in account("6.1-life")["diskstats"] if line.split()]
    assert list(rows) == told
    assert {row.kind for row in rows.values()} == {"disk"}
    assert (rows["vda"].driver, rows["loop0"].driver) == ("virtio_blk", "loop")
    assert [row.name for row in rows.values() if row.in_flight] == ["vdb"]
    assert (rows["vdb"].in_flight, rows["vdb"].state, rows["vdb"].queues) == (2, "live", 2)
    assert rows["vdb"].oldest_seconds > 10


def test_requests_and_who_waits_for_them() -> None:
    rows = requests(case_of("6.1-life").kernel)
    assert {row.cgroup for row in rows} == {"/"}  # the io controller was not turned on below
    assert [(row.disk, row.operation, row.state, row.comm) for row in rows] == [("vdb", "read", "in flight", "dd")] * 2
    assert rows[0].age_seconds > rows[1].age_seconds > 1
    assert {row.bytes for row in rows} == {32 << 10, 64 << 10}
    blocked = [task["pid"] for task in case_of("6.1-life").report["tasks"] if task["state"] == "D"]
    assert {row.pid for row in rows} <= set(blocked)
