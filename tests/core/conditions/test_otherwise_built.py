"""Kernels that are built otherwise than a distribution's, each with its types and symbols, against their accounts.

`builds/NAME.patch` is the dump and `builds/NAME.truth` what the guest said of itself; the README beside them says what
is otherwise. 6.1-up: one CPU, SPARSEMEM without VMEMMAP, nodes of 16 slots, no NUMA, no network, no KASLR.
6.1-fp: frame pointers, CONFIG_SLAB, preemptible.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.boot.more_symbols import Rings
from oopscope.errors import NotMapped
from oopscope.inspect.describe import describe
from oopscope.kernel.kernel import Kernel
from oopscope.linux.page_kinds import PageStructs
from oopscope.linux.struct_pages import struct_pages
from oopscope.linux.task import task_structs
from oopscope.linux.vmstat import vmstat
from oopscope.report.build import build
from stored import STORE, put_together
from truth import Truth

BUILDS = STORE / "builds"
NAMES = ("6.1-up", "6.1-fp")
LAST = (
    *("ret_from_fork", "entry_SYSCALL_64_after_hwframe", "start_kernel", "secondary_startup_64_no_verify"),
    *("asm_sysvec_apic_timer_interrupt", "asm_common_interrupt", "asm_exc_page_fault"),
)
ASKED = ["ksys_write", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"]


@cache
def kernel(name: str) -> Kernel:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.kdump"
        path.write_bytes(put_together(BUILDS / f"{name}.patch", BUILDS))
        return open_kernel([path])  # whose file stays open


@cache
def report(name: str) -> dict[str, Any]:
    return build(kernel(name), None, stacks=True)


@cache
def truth(name: str) -> Truth:
    return Truth((BUILDS / f"{name}.truth").read_text(), [])


@pytest.mark.parametrize("name", NAMES)
class TestAgainstTheAccount:
    def test_tasks(self, name: str) -> None:
        tasks = report(name)["tasks"]
        assert {(task["pid"], task["ppid"]) for task in tasks} >= truth(name).parents
        assert {(task["pid"], task["comm"]) for task in tasks} >= {(p.pid, p.comm) for p in truth(name).processes}
        sizes = {task["pid"]: task["vsz_bytes"] for task in tasks}
        assert all(sizes[p.pid] == p.size * 1024 for p in truth(name).processes if p.size)

    def test_mounts_and_slabs(self, name: str) -> None:
        mounts = [(row["source"], row["target"], row["fstype"]) for row in report(name)["mounts"]]
        assert mounts == [row[:3] for row in truth(name).mounts]
        assert [row["name"] for row in report(name)["slabs"]] == truth(name).slabs

    def test_stacks_end_where_they_begin(self, name: str) -> None:
        for task in report(name)["tasks"]:
            assert all(frame["reliable"] for frame in task["frames"]), task["comm"]
            last = [frame["symbol"] for frame in task["frames"] if frame["kind"] != "user"][-1]
            assert last in LAST, task["comm"]


def test_memory() -> None:
    said, found = truth("6.1-up").meminfo, report("6.1-up")["meminfo"]
    assert set(found) == set(said)
    for line, size in said.items():
        assert abs(found[line] - size) <= max(0.05 * size, 2 << 20), line
    assert found["VmallocTotal"] - said["VmallocTotal"] == 1024  # the kernel's last byte is not counted
    assert found["CommitLimit"] == said["CommitLimit"]


def test_counters() -> None:
    lines = [line.split() for line in truth("6.1-up").section("vmstat")]
    found = {row.name: row.value for row in vmstat(kernel("6.1-up"))}
    assert list(found) == [words[0] for words in lines]
    same = [words[0] for words in lines if found[words[0]] == int(words[1])]
    assert len(same) > 0.7 * len(lines)


def test_one_cpu_without_a_table_of_them() -> None:
    found = report("6.1-up")
    (cpu,) = found["cpus"]
    assert (cpu["cpu"], cpu["state"], cpu["comm"]) == (0, "panic", "init")
    names = [frame["symbol"] for frame in cpu["frames"]]
    assert names[names.index("sysrq_handle_crash") :][-4:-1] == ASKED
    assert (found["verdict"]["cause"], found["verdict"]["confidence"]) == ("sysrq-crash", "certain")
    met = {p["section"] for p in found["problems"]} - {"vmstat"}  # which another test may have asked for
    assert met == {"graceperiods", "cgroups", "interfaces", "sockets"}


def test_when_a_task_last_ran_by_what_was_added_up() -> None:
    """No CONFIG_SCHED_INFO keeps when it got the CPU; it cannot have slept for longer than the machine was up."""
    found = report("6.1-up")
    since = {task["comm"]: task["since_last_run_seconds"] for task in found["tasks"] if task["pid"]}
    assert all(value is not None for value in since.values())
    assert 1 < since["sleep"] < since["kdevtmpfs"] < found["system"]["uptime_seconds"]
    assert since["tail"] <= 1  # which looks once a second
    assert next(task for task in found["tasks"] if not task["pid"])["since_last_run_seconds"] is None


def test_struct_pages_by_the_sections_of_memory() -> None:
    """No array of all struct pages: each section of memory tells where its own are."""
    found = kernel("6.1-up")
    space = found.machine.address_space(found)
    assert space is not None
    assert (space.direct.start, len(space.vmemmap)) == (0xFFFF888000000000, 0)
    assert space.vmalloc.start == 0xFFFFC90000000000
    init = next(task for task in task_structs(found).values() if task.pid == 1)
    frame = (init.address - space.direct.start) // 4096
    arrays = struct_pages(found)
    assert arrays.frame_of(arrays.of(frame), frame) == frame
    assert PageStructs(found).kinds(frame, 1) == ["slab"]
    signal = found.memory.word(init.address + found.types.member("task_struct", "signal").offset)
    assert str(describe(found, signal + 8)) == "signal_cache object +0x8"


def test_a_keyboard_s_interrupt_by_frame_pointers() -> None:
    """From the interrupt's stack back onto that of the task, up to the program, with nothing guessed."""
    (cpu,) = report("6.1-fp")["cpus"]
    names = [frame["symbol"] for frame in cpu["frames"]]
    at = names.index("sysrq_handle_crash")
    assert names[at + 2 : at + 5] == ["sysrq_filter", "input_to_handler", "input_pass_values.part.0"]
    assert names[names.index("__common_interrupt") :][1:3] == ["common_interrupt", "asm_common_interrupt"]
    assert all(frame["reliable"] for frame in cpu["frames"])
    assert "SysRq-c from a keyboard or console, while init" in report("6.1-fp")["verdict"]["summary"]


def test_the_ring_of_slab_caches_has_one_member_in_the_image() -> None:
    """The boot's own cache of CONFIG_SLAB lies there, as the head does, which is what is looked for."""
    found = kernel("6.1-fp")
    assert Rings(found).lookup("slab_caches") == found.symbol("slab_caches")


def test_objects_of_config_slab_are_named() -> None:
    found = kernel("6.1-fp")
    init = next(task for task in task_structs(found).values() if task.pid == 1)
    signal = found.memory.word(init.address + found.types.member("task_struct", "signal").offset)
    assert str(describe(found, signal + 8)) == "signal_cache object +0x8"


def test_behind_the_image_nothing_is_mapped() -> None:
    """Only where page tables are lost is the image read without them: those of this kernel are whole."""
    found = kernel("6.1-up")
    behind = (found.symbol("_end") + (4 << 20)) & -4096
    with pytest.raises(NotMapped):
        found.memory.read(behind, 1)
