"""Shares of memory add up to the total on every stored kernel, and say what they could not read."""

import pytest

from cases import case_of
from oopscope.errors import Absent
from oopscope.linux.meminfo import Counter, all_counters
from oopscope.linux.memory_shares import memory_shares, swapped
from oopscope.stacks.tasks import all_tasks


@pytest.fixture
def case_of_null():
    kernel = case_of("6.1-null").kernel
    all_counters(kernel)
    return kernel


def test_they_add_up(case):
    found = memory_shares(case.kernel)
    assert sum(share.bytes or 0 for share in found.shares) == found.total
    assert found.over == 0
    assert found.total == case.report["meminfo"]["MemTotal"]
    named = {share.name: share.bytes for share in found.shares}
    assert named["Shared, tmpfs"] == case.report["meminfo"]["Shmem"]
    cached = case.report["meminfo"]["Cached"] + case.report["meminfo"]["Buffers"]
    assert named["File cache"] + named["Shared, tmpfs"] == cached
    assert named["Other kernel"] < found.total / 8


def test_counters_that_exceed_the_total_are_said(case_of_null, monkeypatch):
    kernel = case_of_null
    more = [Counter(one.name, one.bytes * 9 if one.name == "AnonPages" else one.bytes) for one in all_counters(kernel)]
    big = [one._replace(bytes=500 << 20) if one.name == "Shmem" else one for one in more]
    monkeypatch.setitem(kernel._cached, next(key for key in kernel._cached if key.__name__ == "meminfo"), big)
    found = memory_shares(kernel)
    assert found.over > 0
    assert found.shares[-1].bytes == 0


def test_no_total_is_said(case_of_null, monkeypatch):
    key = next(key for key in case_of_null._cached if key.__name__ == "meminfo")
    monkeypatch.setitem(case_of_null._cached, key, [])
    with pytest.raises(Absent):
        memory_shares(case_of_null)


def test_swapped(case):
    tasks = tuple(task.address for task in all_tasks(case.kernel) if task.rss_bytes)
    found = swapped(case.kernel, (*tasks, 0x10))
    assert set(found) <= set(tasks)
    assert set(found.values()) == {0}, "these machines have no swap"
