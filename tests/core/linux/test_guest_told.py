"""Every table against what a fuller guest said of itself: life.compare, on the one of its dumps that is stored."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import oopscope
from builders.altered import Altered
from core.linux.account import account
from life.compare import compare
from life.tally import Tally, account_of
from oopscope.api import OpenDump
from oopscope.boot.attach import attach
from oopscope.linux.filesystem import file_systems
from oopscope.report.card import card_data
from stored import STORE, put_together

# How many fields agree at least, by table; nothing differs.
AGREE = {
    "bpf": 10, "bpfmaps": 14, "cgroups": 13, "consoles": 2, "disks": 28, "drives": 14, "epolls": 14, "filelocks": 50,
    "filesystems": 60, "freelists": 22, "freelists by type": 110, "hooks": 2, "interfaces": 36, "interrupts": 90,
    "ipc": 24, "meminfo": 50, "modules": 130, "mounts": 45, "neighbours": 19, "pci": 57, "pressure": 34, "routes": 27,
    "slabs": 370, "sockets": 69, "sysctls": 1000, "task": 300, "task call": 20, "task files": 200, "task limits": 32,
    "task memory": 90, "task rights": 250, "task signals": 60, "timers": 4, "urings": 20, "virtqueues": 6,
    "vmallocs": 48, "vmstat": 172, "watches": 29, "zones": 14,
}  # fmt: skip
LIFE = "6.1-more"


@cache
def life() -> OpenDump:
    """Open the guest's dump, a difference against another life of its kernel, for these tests alone."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{LIFE}.kdump"
        path.write_bytes(put_together(STORE / "lives" / f"{LIFE}.patch", STORE))
        return oopscope.open(path)  # whose file stays open


@cache
def compared() -> Tally:
    return compare(life(), account(LIFE))


def test_no_field_differs_from_what_the_guest_told() -> None:
    assert compared().differences == []


def test_each_table_was_compared() -> None:
    agree = compared().agree
    assert {table: agree[table] for table, least in AGREE.items() if agree[table] < least} == {}


def test_counters_of_the_first_control_group_are_not_those_of_the_machine() -> None:
    (first,) = (row for row in life().table("cgroups") if row.path == "/")
    assert (first.memory, first.pids, first.memory_max) == (None, None, None)
    assert first.processes > 50


def test_what_a_process_and_the_children_that_it_waited_for_read_and_wrote() -> None:
    told = {int(part.split()[1]): lines for part, lines in account(LIFE).items() if part.startswith("task ")}
    (pid,) = (pid for pid, lines in told.items() if "@cmdline sleep|7002|" in lines)
    facts = card_data(life().card("task", pid))["used"]
    assert facts["wchar"] == 0  # of the program that runs now; dd, which the shell waited for, wrote three blocks
    assert facts["process_wchar"] == int(next(line.split()[2] for line in told[pid] if line.startswith("@io wchar")))
    assert facts["process_wchar"] >= 3 * 1024


def test_dirty_inodes_with_one_that_is_lost_are_not_counted() -> None:
    """What waits to be written of a device is unknown where its list breaks off."""
    kernel = life().kernel
    whole = next(row for row in file_systems(kernel) if row.dirty_inodes)
    member = kernel.types.member
    bdi = kernel.memory.word(whole.address + member("super_block", "s_bdi").offset)
    writer = bdi + member("backing_dev_info", "wb").offset
    heads = [writer + member("bdi_writeback", one).offset for one in ("b_dirty", "b_io", "b_more_io", "b_dirty_time")]
    first = next(kernel.memory.word(head) for head in heads if kernel.memory.word(head) != head)
    holed = attach(Altered(kernel.dump, {kernel.memory.translate(first) >> 12}), print)
    (row,) = (row for row in file_systems(holed) if row.name == whole.name)
    assert (whole.dirty_inodes, row.dirty_inodes, row.dirty) == (2, None, whole.dirty)


def test_what_a_kernel_says_amid_an_account_is_no_part_of_it(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.write_text("=== TRUTH sysctl\r\nnet/ip[   12.345678] INFO: task\r\nv6/conf = 1\r\n=== TRUTH end\r\n")
    assert account_of(console) == {"sysctl": ["net/ipv6/conf = 1"], "end": [""]}
