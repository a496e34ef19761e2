"""Sums and counts where a part is not in the dump: unknown, never what is left of them."""

from functools import cache
from pathlib import Path

from bench.cuts import changed, reading, wrong
from builders.altered import Altered, stored
from cases import DUMPS, case_of
from oopscope.boot.attach import attach, open_kernel
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.walk import for_each_list
from oopscope.linux.block import disks
from oopscope.linux.cgroup import cgroups
from oopscope.linux.device import Devices
from oopscope.linux.event_poll import epolls
from oopscope.linux.facts import machine_facts
from oopscope.linux.filesystem import file_systems
from oopscope.linux.meminfo import all_counters
from oopscope.linux.rcu import grace_periods
from oopscope.linux.slab import all_slabs, slab_addresses
from oopscope.linux.socket_rows import socket_rows
from oopscope.linux.swap import swap_areas
from oopscope.linux.system import the_system
from oopscope.linux.task import task_structs
from oopscope.linux.vmalloc import area_map
from oopscope.linux.vmalloc_users import vmalloc_users
from oopscope.linux.workqueue import _reader, workqueues
from oopscope.stacks.cpus import all_cpus, panic_cpu
from oopscope.stacks.groups import key_of
from oopscope.stacks.of_task import beyond_scheduler
from oopscope.stacks.registers import registers
from oopscope.stacks.tasks import stack
from oopscope.subsystems import table
from oopscope.waits.rows import wait_rows
from stored import STORE

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


@cache
def holed() -> Kernel:
    """Open the life with holes, of which one is in the kernel's table of its symbols."""
    ((_, dump),) = changed((DUMPS / f"{LIFE}.kdump").read_bytes(), LIFE, [], 1, 1)
    return attach(dump, print)


def test_no_row_of_a_holed_dump_is_another_of_the_whole_one() -> None:
    """A few tables of one that is holed; all of them, cut and holed in twenty ways: bench/cuts.py."""
    for key in ("system", "cpus", "vmallocs", "modules", "workqueues", "pools", "swaps", "facts", "sockets"):
        part, whole = reading(holed(), table(key)), reading(life(), table(key))
        assert list(wrong(table(key), part, whole)) == []


def test_a_sum_over_areas_of_vmalloc_that_are_not_all_there_says_so() -> None:
    whole = {(row.caller, row.kind): row for row in vmalloc_users(life())}
    assert not any(row.least for row in whole.values())
    areas = [area for area in life().cached(area_map).areas if area.vm]
    kernel = without(areas[len(areas) // 2].address)
    rows = {(row.caller, row.kind): row for row in vmalloc_users(kernel)}
    assert rows and all(row.least for row in rows.values())
    assert all(row.areas <= whole[name].areas for name, row in rows.items())
    assert table("vmallocs").counted(kernel, len(rows)).complete is False


def test_work_that_waits_with_a_part_of_the_list_lost() -> None:
    (before,) = (row for row in workqueues(life()) if row.name == "lablife")
    assert (before.active, before.inactive) == (1, 2)
    pwq = next(one for one in life().cached(_reader)[0].pwqs.values() if one.wq == before.address and one.nr_active)
    works = list(for_each_list(life().memory, pwq.inactive, life().types.member("work_struct", "entry").offset))
    (row,) = (row for row in workqueues(without(works[0])) if row.name == "lablife")
    assert (row.active, row.inactive) == (1, None)
    (row,) = (row for row in workqueues(without(pwq.address)) if row.name == "lablife")
    assert (row.active, row.inactive) == (None, None)


def test_bytes_that_a_unix_socket_has_not_read_with_a_buffer_lost() -> None:
    (before,) = (row for row in socket_rows(life()) if row.protocol == "unix" and row.received == 3)
    head = before.address + life().types.member("sock", "sk_receive_queue").offset
    (row,) = (row for row in socket_rows(without(life().memory.word(head))) if row.address == before.address)
    assert row.received is None


def test_what_a_file_system_says_of_itself_is_lost() -> None:
    (before,) = (row for row in file_systems(life()) if row.state.endswith("errors seen"))
    info = life().memory.word(before.address + life().types.member("super_block", "s_fs_info").offset)
    (row,) = (row for row in file_systems(without(info)) if row.address == before.address)
    assert row.state == "rw, rest unknown"


def test_how_many_tasks_wait_is_not_known_where_tasks_are_lost() -> None:
    assert {row.behind for row in wait_rows(life())} > {1}
    tasks = sorted(task_structs(life()).values(), key=lambda task: task.pid)
    rows = wait_rows(without(tasks[len(tasks) // 2].address))
    assert rows and {row.behind for row in rows} == {None}


def test_a_kernel_that_names_no_data_has_not_none_of_a_thing() -> None:
    """Its count of threads is the kernel's own; CPUs that have notes are not all in use."""
    kernel = holed()
    assert not kernel.names_data
    assert swap_areas(kernel) == [] and table("swaps").counted(kernel, 0).complete is None
    assert the_system(kernel).cpus_online is None
    assert table("facts").counted(kernel, len(machine_facts(kernel))).complete is False
    assert panic_cpu(kernel) is None  # the log's oops came long before a panic that was none of its own


def test_threads_are_counted_by_the_kernel_where_some_are_lost() -> None:
    whole = the_system(life()).task_count
    tasks = sorted(task_structs(life()).values(), key=lambda task: task.pid)
    assert the_system(without(tasks[len(tasks) // 2].address)).task_count == whole


def test_stacks_of_functions_without_names_are_told_apart() -> None:
    one, other = (
        Frame(address, None, None, None, "task", True, 0) for address in (0xFFFFFFFFC0001000, 0xFFFFFFFFC0002000)
    )
    assert key_of([one]) != key_of([other])


def test_what_a_task_waits_in_is_no_guess() -> None:
    address = life().symbol("unix_stream_read_generic") + 16
    guess = Frame(address, "unix_stream_read_generic", 16, None, "task", False, 0)
    assert beyond_scheduler(life(), [guess]) is None
    assert beyond_scheduler(life(), [guess._replace(reliable=True)]) == "unix_stream_read_generic"


def test_where_a_task_slept_last_is_no_more_than_a_guess_of_one_that_ran() -> None:
    running = [task for task in task_structs(life()).values() if task.on_cpu and task.cpu == 1 and task.pid]
    assert running and all(frame.reliable for task in running for frame in stack(life(), task.address))
    kernel = without(life().per_cpu("runqueues", 1))
    for task in running:
        assert not any(frame.reliable for frame in stack(kernel, task.address))


def test_the_byte_order_of_notes_where_the_kernels_text_is_not_known() -> None:
    """QEMU writes those of little-endian PowerPC big-endian; this is cut before the kernel's symbols."""
    data = (STORE / "machines" / "6.12-ppc64le.kdump").read_bytes()
    ((_, dump),) = changed(data, "6.12-ppc64le", [20], 0, 0)
    found = registers(attach(dump, print))
    assert found and {regs["gpr1"] >> 60 for regs in found.values()} == {0xC}


def test_the_age_of_requests_without_a_clock() -> None:
    before = {row.name: row for row in disks(life())}["vdb"]
    assert before.in_flight == 2 and before.oldest_seconds
    kernel = without(life().per_cpu("runqueues", 0), life().per_cpu("runqueues", 1))
    row = {row.name: row for row in disks(kernel)}["vdb"]
    assert (row.in_flight, row.oldest_seconds) == (2, None)


def test_who_sleeps_on_an_epoll_instance_with_its_queue_lost() -> None:
    (before, *_) = (row for row in epolls(life()) if row.comm == "life-epoll")
    assert before.waiting == 1
    instance = life().memory.word(before.address + life().types.member("epitem", "ep").offset)
    head = instance + life().types.member("eventpoll", "wq.head").offset
    rows = [row for row in epolls(without(life().memory.word(head))) if row.comm == "life-epoll"]
    assert {row.waiting for row in rows} == {None}
