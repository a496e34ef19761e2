"""The new tables on other kernels, against what guests of the same life said of themselves."""

import re
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from core.linux.account import account
from oopscope.boot.attach import open_kernel
from oopscope.kernel.kernel import Kernel
from oopscope.linux.cgroup import cgroups
from oopscope.linux.facts import machine_facts
from oopscope.linux.filesystem import file_systems
from oopscope.linux.free_lists import free_lists
from oopscope.linux.meminfo import all_counters
from oopscope.linux.net import interfaces
from oopscope.linux.parameters import parameters
from oopscope.linux.rcu import grace_periods
from oopscope.linux.socket_rows import socket_rows
from oopscope.linux.swap import swap_areas
from oopscope.linux.timer import timers
from oopscope.linux.vmstat import vmstat
from oopscope.linux.workqueue import workers, works
from stored import STORE, put_together

LIVES = ("5.10-life",)
NUMBER = re.compile(r"(\S+?):? +(\d+)(?: kB)?$")
DEVICE = re.compile(r" *(\S+?): *((?:\d+ *){16})")
PARAMETER = re.compile(r"(\S+?)/parameters/(\S+) ?(.*)")


@pytest.fixture(params=LIVES)
def life(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@cache
def of(life: str) -> Kernel:
    """Open a life: a difference against a stored dump of its kernel, put together for these tests alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{life}.kdump"
        path.write_bytes(put_together(STORE / "lives" / f"{life}.patch", STORE))
        return open_kernel([path])  # whose file stays open


def told(life: str, part: str) -> dict[str, int]:
    lines = account(life)[part]
    return {found[1]: int(found[2]) for line in lines if (found := NUMBER.match(line))}


def end(text: str) -> str | None:
    """Return an address of /proc/net/tcp{,6} as it is written."""
    host, port = text.split(":")
    raw = b"".join(bytes.fromhex(host[at : at + 8])[::-1] for at in range(0, len(host), 8))
    name = str(IPv4Address(raw)) if len(raw) == 4 else f"[{IPv6Address(raw)}]"
    return f"{name}:{int(port, 16)}" if int(port, 16) else None


def test_rows_of_meminfo_and_vmstat(life: str) -> None:
    memory, counters = told(life, "meminfo"), told(life, "vmstat")
    rows = {row.name: row.bytes for row in all_counters(of(life))}
    assert list(rows) == list(memory)
    for name in ("MemTotal", "SwapTotal", "CommitLimit", "Percpu", "Hugetlb", "DirectMap2M"):
        assert abs((rows[name] or 0) / 1024 - memory[name]) <= 0.01 * memory[name], name
    values = {row.name: row.value for row in vmstat(of(life))}
    assert list(values) == list(counters)
    assert len([name for name, value in counters.items() if values[name] == value]) > 0.8 * len(counters)


def test_sockets_and_interfaces(life: str) -> None:
    rows = socket_rows(of(life))
    first = interfaces(of(life))[0].namespace
    for part in ("tcp", "tcp6", "udp", "udp6"):
        lines = [line.split() for line in account(life)[part]]
        lines = [words for words in lines if len(words) > 9 and words[0].rstrip(":").isdigit()]
        mine = [row for row in rows if row.protocol == part and row.namespace == first]
        mine = [row for row in mine if row.state != "closed" or part.startswith("udp")]
        assert {(row.local, row.remote) for row in mine} == {(end(words[1]), end(words[2])) for words in lines}
    assert [row.local for row in rows if row.note == "backlog full"] == ["127.0.0.1:9999"]
    devices = {row.name: row for row in interfaces(of(life)) if row.namespace == first}
    lines = [found for line in account(life)["net/dev"] if (found := DEVICE.fullmatch(line))]
    assert set(devices) == {found[1] for found in lines}
    counts = next(found[2].split() for found in lines if found[1] == "lo")
    assert [devices["lo"].rx_bytes, devices["lo"].tx_packets] == [int(counts[0]), int(counts[9])]


def test_memory_s_lists(life: str) -> None:
    rows = {(row.zone, row.order): row for row in free_lists(of(life))}
    zones = [line.split() for line in account(life)["buddyinfo"] if line.startswith("Node")]
    assert set(rows) == {(words[3], order) for words in zones for order in range(len(words) - 4)}
    assert all(row.types is not None for row in rows.values())
    (area,) = swap_areas(of(life))
    assert (area.path, area.kind) == ("/data/swapfile", "file")
    groups = {row.path: row for row in cgroups(of(life))}
    assert (groups["/shop.slice"].memory_max, groups["/shop.slice"].pids_max) == (32 << 20, 55)
    assert groups["/shop.slice/cart"].processes == 1


def test_file_systems(life: str) -> None:
    rows = {target: row for row in file_systems(of(life)) for target in row.targets}
    lines = [line.split() for line in account(life)["mountinfo"] if " - " in line]
    assert {target: row.device for target, row in rows.items()} == {words[4]: words[2] for words in lines}
    assert rows["/data"].state == "rw, errors seen"
    assert rows["/tmp/small"].options == "size=512k,mode=700"


def test_work_timers_and_rcu(life: str) -> None:
    found = [(row.state, row.function) for row in works(of(life)) if row.workqueue == "lablife"]
    assert found == [("running", "lablife_stuck [lablife]"), *[("inactive", "lablife_later [lablife]")] * 2]
    assert [row.workqueue for row in workers(of(life)) if row.function == "lablife_stuck [lablife]"] == ["lablife"]
    functions = {row.function for row in timers(of(life))}
    assert {"lablife_timer [lablife]", "lablife_hrtimer [lablife]"} <= functions
    assert [row.name for row in grace_periods(of(life))] in (["rcu_sched"], ["rcu_preempt"])


def test_facts_and_parameters(life: str) -> None:
    found = {row.name: row.value for row in machine_facts(of(life))}
    lines = [line.split(None, 1) for line in account(life)["sysctlmore"]]
    values = {words[0].replace("/", "."): words[1].strip() for words in lines if len(words) > 1}
    for name in set(found) & set(values):
        assert found[name] == values[name], name
    assert (found["system vendor"], found["crashkernel reserved"]) == ("QEMU", "64 MiB")
    rows = {(row.module, row.name): row.value for row in parameters(of(life))}
    for match in filter(None, map(PARAMETER.match, account(life)["params"])):
        value = rows[match[1], match[2]]
        if value is not None and match[1] != "damon_stat" and match[2] != "rcu_cpu_stall_suppress":
            assert value.strip() == match[3].strip(), match.groups()
