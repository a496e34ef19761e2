"""Sums and counts where a part is not in the dump: unknown, never what is left of them."""

from functools import cache
from pathlib import Path

from builders.altered import Altered, stored
from cases import DUMPS, case_of
from oopscope.boot.attach import attach, open_kernel
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_list
from oopscope.linux.cgroup import cgroups
from oopscope.linux.device import Devices
from oopscope.linux.facts import machine_facts
from oopscope.linux.meminfo import all_counters
from oopscope.linux.rcu import grace_periods
from oopscope.linux.slab import all_slabs, slab_addresses
from oopscope.linux.task import task_structs
from oopscope.stacks.cpus import all_cpus
from oopscope.subsystems import table

LIFE = "6.1-life"


def life() -> Kernel:
    return case_of(LIFE).kernel


def without(*addresses: int) -> Kernel:
    """Open the life without the pages that some of the kernel's addresses lie in."""
    holes = {life().memory.translate(address) >> 12 for address in addresses}
    return attach(Altered(stored(f"{LIFE}.kdump"), holes), print)


@cache
def cut(path: Path, tenths: int) -> Kernel:
    """Open the first tenths of the life."""
    data, made = (DUMPS / f"{LIFE}.kdump").read_bytes(), path / "cut.kdump"
    made.write_bytes(data[: len(data) * tenths // 10])
    return open_kernel([made])


def test_callbacks_of_rcu_with_a_cpu_that_is_lost() -> None:
    assert grace_periods(life())[0].callbacks is not None
    (row,) = grace_periods(without(life().per_cpu("rcu_data", 1)))
    assert row.callbacks is None


def test_objects_in_use_with_a_slab_that_is_lost() -> None:
    at = {name: address for address, name in slab_addresses(life()).items()}
    whole = {row.name: row for row in all_slabs(life())}
    node = life().memory.word(at["kmalloc-32"] + life().types.member("kmem_cache", "node").offset)
    head = node + life().types.member("kmem_cache_node", "partial").offset
    link = life().types.member("slab", "slab_list").offset
    partial = list(for_each_list(life().memory, head, link))
    assert partial and whole["kmalloc-32"].active is not None
    rows = {row.name: row for row in all_slabs(without(partial[len(partial) // 2]))}
    assert (rows["kmalloc-32"].active, rows["kmalloc-32"].total) == (None, whole["kmalloc-32"].total)


def test_processes_of_a_control_group_with_a_task_that_is_lost() -> None:
    tasks = sorted(task_structs(life()).values(), key=lambda task: task.pid)
    rows = cgroups(without(tasks[len(tasks) // 2].address))
    assert rows
    assert {row.processes for row in rows} == {None}


def test_memory_that_is_available_with_zones_that_are_lost() -> None:
    counters = {row.name: row.bytes for row in all_counters(life())}
    assert counters["MemAvailable"]
    kernel = without(life().symbol("contig_page_data") if life().find_symbol("contig_page_data") else _node())
    assert {row.name: row.bytes for row in all_counters(kernel)}["MemAvailable"] is None


def _node() -> int:
    return life().memory.word(life().symbol("node_data"))


def test_nothing_is_only_said_of_what_was_read(tmp_path: Path) -> None:
    kernel = cut(tmp_path, 3)
    values = {row.name: row.value for row in machine_facts(kernel)}
    assert "nothing" not in {values.get(name) for name in ("crashkernel asked", "crashkernel reserved")}
    assert values.get("tainting") != "none"
    assert {cpu.online for cpu in all_cpus(kernel)} == {None}


def test_text_that_is_in_a_struct_itself() -> None:
    devices = Devices(life())
    assert devices.text((81, 69, 77, 85, 32, 32, 32, 32), 8) == "QEMU    "
    assert devices.text((50, 46, 53, 0, 99), 5) == "2.5"
    assert devices.text(0) == ""


def test_a_count_without_the_namespaces_or_queues_that_are_lost_is_none() -> None:
    for key in ("ipc", "runqueues"):
        assert table(key).counted(life(), len(list(table(key).rows(life())))).of is not None
    tasks = sorted(task_structs(life()).values(), key=lambda task: task.pid)
    kernel = without(tasks[len(tasks) // 2].address)
    rows = list(table("ipc").rows(kernel))
    assert table("ipc").counted(kernel, len(rows)).complete is not True
    kernel = without(life().per_cpu("runqueues", 1))
    rows = list(table("runqueues").rows(kernel))
    assert table("runqueues").counted(kernel, len(rows)).complete is not True
