"""Whether a crash would be captured: a host's files below a folder, and the machine of a dump; the report in brief."""

import json
from pathlib import Path
from typing import Any

import pytest

from cases import DUMPS
from core.cli.runner import Run
from oopscope.bundled import bundled_path
from oopscope.cli import DONE

NULL = DUMPS / "6.1-null.kdump"


def machine(root: Path, **files: str) -> Path:
    """A host's files; `__` stands for a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def states(command: Run, root: Path) -> dict[str, Any]:
    done = command("doctor", "--root", root, "--format", "json")
    return {one["name"]: one for one in json.loads(done.out)}


def test_a_host_that_is_ready(command: Run, tmp_path: Path) -> None:
    root = machine(tmp_path, proc__cmdline="ro crashkernel=256M quiet", sys__kernel__kexec_crash_size="268435456",
                   sys__kernel__kexec_crash_loaded="1", proc__sys__kernel__sysrq="1",
                   proc__sys__kernel__panic_on_oops="1")  # fmt: skip
    (root / "usr/lib/systemd/system").mkdir(parents=True)
    (root / "usr/lib/systemd/system/kdump.service").touch()
    (root / "etc/systemd/system/multi-user.target.wants").mkdir(parents=True)
    (root / "etc/systemd/system/multi-user.target.wants/kdump.service").touch()
    (root / "etc/kdump.conf").write_text("# path /x\npath /var/crash\ncore_collector makedumpfile -l -d 31\n")
    (root / "var/crash/127.0.0.1-2026-11-23").mkdir(parents=True)
    (root / "var/crash/127.0.0.1-2026-11-23/vmcore").touch()
    found = states(command, root)
    for name in ("crashkernel=", "reserved", "crash kernel", "service", "configuration", "last dumps", "sysrq"):
        assert found[name]["state"] == "good", found[name]
    assert found["reserved"]["value"] == "256 MiB"
    assert "dump level 31" in found["configuration"]["value"]
    assert found["last dumps"]["value"] == "1, the last of 127.0.0.1-2026-11-23"
    assert all(one["means"] for one in found.values())


def test_a_host_that_is_not(command: Run, tmp_path: Path) -> None:
    root = machine(tmp_path, proc__cmdline="ro quiet", sys__kernel__kexec_crash_size="0",
                   sys__kernel__kexec_crash_loaded="0", proc__sys__kernel__sysrq="176")  # fmt: skip
    done = command("doctor", "--root", root)
    assert done.status == 1
    assert done.out.rstrip().endswith("would not be captured: crashkernel=, reserved, crash kernel, service.")
    assert states(command, root)["sysrq"]["state"] == "doubt"


@pytest.mark.parametrize("text", ["", "\x00" * 100, "a" * (1 << 17), "crashkernel=", "é"])
def test_files_that_hold_nonsense_end_well(command: Run, tmp_path: Path, text: str) -> None:
    root = machine(tmp_path, proc__cmdline=text, sys__kernel__kexec_crash_size=text)
    (root / "etc").mkdir()
    (root / "etc/kdump.conf").write_text(text)
    assert command("doctor", "--root", root).status == 1


def test_a_dumps_machine(command: Run) -> None:
    done = command("doctor", NULL)
    assert done.status == DONE
    assert "crashkernel=" in done.out and "160M" in done.out and "dump level" in done.out


def test_the_report_in_brief(command: Run) -> None:
    lines = command("report", NULL, "--brief").out.splitlines()
    assert len(lines) <= 15 and max(map(len, lines)) <= 80
    assert "null-pointer-dereference" in lines[1]
    assert any("lab_read_balance" in line and "<" in line for line in lines)


def test_the_brief_stack_is_of_the_task_that_is_named_from_where_it_happened(command: Run) -> None:
    deadlock = command("report", DUMPS / "6.1-deadlock.kdump", "--brief").out
    assert "PID 238 lab-teller-ab: lab_transfer\n" in deadlock and "watchdog" not in deadlock  # that is khungtaskd's
    stuck = command("report", DUMPS / "5.10-softlockup.kdump", "--brief").out
    assert ": lab_spin_forever < " in stuck
    asked = command("report", bundled_path("io-stall"), "--brief").out
    assert "also: the disk vdb does not answer" in asked and len(asked.splitlines()) <= 15


def test_colour_only_where_it_is_asked_for(command: Run) -> None:
    assert "\x1b" not in command("report", NULL, "--brief").out
    assert "\x1b[1;31m" in command("report", NULL, "--sections", "verdict", "--color", "always").out
    assert "\x1b" not in command("report", NULL, "--sections", "verdict", "--color", "never").out
    assert "\x1b[1;31m" in command("log", NULL, "--color", "always", "-p", "err").out
