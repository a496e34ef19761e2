"""Kernels that are built otherwise than most: real dumps of them, distilled, and what is right to say of each.

`builds/NAME.kdump` lies among the other dumps; its README says how each was made.
"""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from oopscope.boot.attach import open_kernel
from oopscope.boot.extra import Extra
from oopscope.cli import run
from oopscope.distill.recording import distill
from oopscope.dumps import open_path
from oopscope.errors import Implausible
from oopscope.kernel.kernel import Kernel
from oopscope.report.build import build
from oopscope.symbols import kallsyms

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


def without_kallsyms(monkeypatch: pytest.MonkeyPatch, name: str) -> Kernel:
    def none(*_: object) -> None:
        raise Implausible("kallsyms: no token table in the kernel's image")

    monkeypatch.setattr(kallsyms, "open_kallsyms", none)
    kernel = open_kernel([FOLDER / f"{name}.kdump"])
    kernel._index = type(kernel._index)(None, None)
    return kernel


def test_without_kallsyms_stacks_are_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No function has a name (4.15's kvm flavour of Ubuntu is so built): the log tells, and the stacks are shown."""
    kernel = without_kallsyms(monkeypatch, "4.15-ubuntu")
    found = build(kernel, ("system", "verdict", "cpus"))
    assert found["verdict"]["cause"] == report("4.15-ubuntu")["verdict"]["cause"]
    assert found["verdict"]["panic_message"] == report("4.15-ubuntu")["verdict"]["panic_message"]
    assert [len(cpu["frames"]) > 0 for cpu in found["cpus"]] == [True, True]
    assert {frame["symbol"] for cpu in found["cpus"] for frame in cpu["frames"]} == {None}
    told = [p["message"] for p in found["problems"] if "functions have no names" in p["message"]]
    assert len(told) == 1
    lacking = [p["message"] for p in found["problems"] if "nr_threads" in p["message"]]
    text = "this kernel does not name its data (--symbols or --vmlinux can): there is no symbol nr_threads"
    assert lacking == [f"tasks: {text}"]


KVM, MAP = FOLDER / "4.15-kvm.kdump", FOLDER / "4.15-kvm.map"


def held_to_its_map(found: dict[str, Any]) -> None:
    verdict, (first, other) = found["verdict"], found["cpus"]
    assert (verdict["cause"], verdict["cpu"]) == ("init-killed", 0)
    assert verdict["summary"] == "PID 1 exited by itself with status 1; without it the kernel cannot go on."
    left = ["panic", "do_exit", "do_group_exit", "SyS_exit_group", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"]
    assert [frame["symbol"] for frame in first["frames"]][3:] == [*left, None]
    stopped = ["stop_this_cpu", "smp_reboot_interrupt", "reboot_interrupt"]
    assert [frame["symbol"] for frame in other["frames"]] == [*stopped, None]
    assert all(frame["reliable"] for cpu in found["cpus"] for frame in cpu["frames"])
    assert found["system"]["command_line"].startswith("console=ttyS0 ")
    assert [p["message"] for p in found["problems"] if "name" in p["message"]] == []


def test_a_system_map_names_what_a_kernel_without_kallsyms_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OOPSCOPE_SYMBOLS", str(MAP))
    held_to_its_map(build(open_kernel([KVM]), ("system", "verdict", "cpus")))


def test_without_it_the_log_tells_what_it_can() -> None:
    found = build(open_kernel([KVM]), ("system", "verdict", "cpus"))
    assert found["verdict"]["summary"].startswith("PID 1 exited by itself with status 1")
    assert {frame["symbol"] for cpu in found["cpus"] for frame in cpu["frames"]} == {None}


def test_what_a_file_leads_to_is_distilled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The small dump serves who has the file, and whom it is sent to."""
    distill(open_path(KVM), tmp_path / "small", lambda _text: None, extra=Extra(symbols=MAP))
    monkeypatch.setenv("OOPSCOPE_SYMBOLS", str(MAP))
    held_to_its_map(build(open_kernel([tmp_path / "small"]), ("system", "verdict", "cpus")))


def test_bt_needs_no_types(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bt", str(FOLDER / "4.4-ubuntu.kdump"), "--cpus"]) == 0
    assert "sysrq_handle_crash+0x16" in capsys.readouterr().out
