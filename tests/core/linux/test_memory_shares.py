"""Shares of memory add up to the total on every stored kernel, and say what they could not read."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from cases import Case, case_of
from oopscope.errors import Absent
from oopscope.kernel.kernel import Kernel
from oopscope.linux import memory_shares as module
from oopscope.linux.meminfo import Counter, all_counters
from oopscope.linux.memory_shares import Share, memory_shares, swapped
from oopscope.report.build import build
from oopscope.stacks.tasks import all_tasks


@pytest.fixture
def case_of_null() -> Any:
    kernel = case_of("6.1-null").kernel
    all_counters(kernel)
    return kernel


@pytest.mark.thorough
def test_they_add_up(case: Case) -> None:
    found = memory_shares(case.kernel)
    assert sum(share.bytes or 0 for share in found.shares) == found.total
    assert found.over == 0
    assert found.total == case.report["meminfo"]["MemTotal"]
    named = {share.name: share.bytes for share in found.shares}
    assert named["Shared, tmpfs"] == case.report["meminfo"]["Shmem"]
    cached = case.report["meminfo"]["Cached"] + case.report["meminfo"]["Buffers"]
    assert named["File cache"] + named["Shared, tmpfs"] == cached
    assert named["Other kernel"] < found.total / 8


CLOSE = 3 << 20  # what a guest's memory may change between its account and its death, a second later


def test_each_share_is_what_the_guest_counted(case: Case) -> None:
    """Shares made of the guest's own /proc/meminfo, by what its lines overlap."""
    said = case.truth.meminfo
    want = {
        "Free": said["MemFree"],
        "File cache": said["Cached"] + said["Buffers"] - said["Shmem"],
        "Shared, tmpfs": said["Shmem"],
        "Anonymous": said["AnonPages"],
        "Reclaimable slab": said["SReclaimable"],
        "Unreclaimable slab": said["SUnreclaim"],
        "Kernel stacks": said["KernelStack"],
        "Page tables": said["PageTables"] + said.get("SecPageTables", 0),
        "Vmalloc": said["VmallocUsed"] - said["KernelStack"],
    }
    if "oom" in case.name:  # it ate its memory after the account
        want = {name: want[name] for name in ("Kernel stacks", "Vmalloc")}
    found = {share.name: share.bytes for share in memory_shares(case.kernel).shares}
    apart = {name: (found[name], size) for name, size in want.items() if found[name] is not None}
    assert {name: pair for name, pair in apart.items() if abs(pair[0] - pair[1]) > CLOSE} == {}
    assert len(apart) >= len(want) - 1, "a distilled dump may lack the counter of vmalloc, and no more"
    if found["Per-CPU"] is not None:
        assert found["Per-CPU"] < said["Percpu"], "the first chunk was reserved at boot and is no part of MemTotal"
    rest = said["MemTotal"] - sum(want.values())  # and what the guest does not count: with the CPUs' own free pages
    if "oom" not in case.name and found["Free, per CPU"] is not None and found["Vmalloc"] is not None:
        mine = found["Other kernel"] + found["Free, per CPU"] + (found["Per-CPU"] or 0)
        assert abs(mine - rest) < CLOSE


def test_free_pages_on_the_lists_of_the_cpus_are_free() -> None:
    found = {share.name: share.bytes for share in memory_shares(case_of("7.2-sysrq").kernel).shares}
    assert found["Free, per CPU"] == 5448 << 10, "the kernel's free_pcp: 1362 pages, which MemFree lacks"


def test_the_report_and_the_screen_have_one_answer(case: Case) -> None:
    found = memory_shares(case.kernel)
    section = build(case.kernel, ["memory_shares"])["memory_shares"]
    assert [one["bytes"] for one in section["shares"]] == [share.bytes for share in found.shares]
    assert section["total"] == found.total
    assert sum(one["bytes"] or 0 for one in section["shares"]) == section["total"] + section["over"]


@pytest.mark.parametrize(
    ("anonymous", "listed", "swap_cache", "want"),
    [(100, 130, 50, 30), (100, 130, 10, 10), (100, 90, 50, 0), (100, 130, 0, None)],
)
def test_swap_cache_counts_what_no_program_maps(
    case_of_null: Kernel,
    monkeypatch: pytest.MonkeyPatch,
    anonymous: int,
    listed: int,
    swap_cache: int,
    want: int | None,
) -> None:
    kernel, mib = case_of_null, 1 << 20
    put = {"MemTotal": 4096 * mib, "MemFree": 2048 * mib, "AnonPages": anonymous * mib, "Shmem": 0,
           "Active(anon)": listed * mib, "Inactive(anon)": 0, "SwapCached": swap_cache * mib}  # fmt: skip
    key = next(key for key in kernel._cached if key.__name__ == "all_counters")
    monkeypatch.setitem(kernel._cached, key, [Counter(name, size) for name, size in put.items()])
    found = {share.name: share.bytes for share in memory_shares(kernel).shares}
    assert found.get("Swap cache") == (None if want is None else want * mib or None)


def test_counters_that_exceed_the_total_are_said(case_of_null: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = case_of_null
    more = [Counter(one.name, one.bytes * 9 if one.name == "AnonPages" else one.bytes) for one in all_counters(kernel)]
    big = [one._replace(bytes=500 << 20) if one.name == "Shmem" else one for one in more]
    monkeypatch.setitem(kernel._cached, next(key for key in kernel._cached if key.__name__ == "all_counters"), big)
    found = memory_shares(kernel)
    assert found.over > 0
    assert found.shares[-1].bytes == 0


def test_no_total_is_said(case_of_null: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    key = next(key for key in case_of_null._cached if key.__name__ == "all_counters")
    monkeypatch.setitem(case_of_null._cached, key, [])
    with pytest.raises(Absent):
        memory_shares(case_of_null)


def test_swapped(case: Case) -> None:
    tasks = tuple(task.address for task in all_tasks(case.kernel) if task.rss_bytes)
    found = swapped(case.kernel, (*tasks, 0x10))
    assert set(found) <= set(tasks)
    assert set(found.values()) == {0}, "these machines have no swap"


def test_the_rest_is_unknown_where_most_shares_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without types tells its total alone: nothing says that the kernel has it all."""
    free, bare = Share("Free", None), cast("Kernel", None)

    def of(*lines: Share) -> Share:
        monkeypatch.setattr(module, "_lines", lambda *_: iter(lines))
        return memory_shares(bare).shares[-1]

    monkeypatch.setattr(module, "all_counters", lambda _kernel: [SimpleNamespace(name="MemTotal", bytes=1 << 28)])
    monkeypatch.setattr(module, "_kernel_memory", lambda *_: iter([Share("Per-CPU", 4096)]))
    assert of(free, Share("Anonymous", None)) == Share("Other kernel", None)
    assert of(free, Share("Anonymous", 4096)) == Share("Other kernel", (1 << 28) - 8192)
