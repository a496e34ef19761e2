"""Kernels that are built otherwise than most: real dumps of them, distilled, and what is right to say of each.

`builds/NAME.kdump` lies among the other dumps; its README says how each was made.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.report.build import build

FOLDER = Path(__file__).parents[2] / "dumps" / "builds"
# What the kernel's own call trace names, from what died outwards.
SYSRQ = ["sysrq_handle_crash", "__handle_sysrq", "write_sysrq_trigger", "proc_reg_write", "__vfs_write", "vfs_write"]
FAULT = ["do_page_fault", "page_fault", *SYSRQ, "SyS_write"]
ENTERED = {
    "4.4-ubuntu": [*FAULT, "entry_SYSCALL_64_fastpath"],
    "4.15-ubuntu": [*FAULT, "do_syscall_64", "entry_SYSCALL_64_after_hwframe"],
}


@cache
def report(name: str) -> dict[str, Any]:
    return build(open_kernel([FOLDER / f"{name}.kdump"]), ("system", "verdict", "cpus", "tasks", "log"))


@pytest.mark.parametrize("name", ENTERED)
def test_without_types_the_log_and_the_stacks_tell_who_died(name: str) -> None:
    """crashing_cpu of 4.4 says 0, as it did since the boot, and the other CPU was stopped on its interrupt stack."""
    found = report(name)
    verdict, (first, other) = found["verdict"], found["cpus"]
    assert (verdict["cause"], verdict["confidence"]) == ("sysrq-crash", "certain")
    assert (verdict["cpu"], verdict["pid"], verdict["comm"]) == (1, 1, "init")
    assert verdict["symbol"] == "sysrq_handle_crash+0x16"
    assert (first["cpu"], first["state"]) == (1, "panic")
    names = [frame["symbol"] for frame in first["frames"]]
    wanted = ENTERED[name]
    assert names[names.index(wanted[0]) :] == [*wanted, None]
    assert [frame["kind"] for frame in first["frames"] if frame["kind"] != "task"] == ["exception", "syscall", "user"]
    assert all(frame["reliable"] for frame in first["frames"])
    assert [frame["symbol"] for frame in other["frames"]][-3:] == ["smp_reboot_interrupt", "reboot_interrupt", None]
    assert [frame["kind"] for frame in other["frames"]][-2:] == ["irq", "user"]
    assert found["tasks"] is None
