"""One dead machine by every route: the same tasks, stacks, log and verdict; and distilled from each, the same again."""

import re
import struct
import sys
from pathlib import Path
from typing import Any

import pytest

from cases import DUMPS, held
from core.routes.made import ROUTES, Machine
from oopscope.boot.attach import attach, open_kernel
from oopscope.distill import kdump_file
from oopscope.distill.recording import distill
from oopscope.dumps import FORMATS, open_path
from oopscope.notes import GENERAL, CpuState, SegmentRegister
from oopscope.report.build import build
from oopscope.subsystems import TABLES

PATH = DUMPS / "6.1-null.kdump"
# Not what tells of the container itself, nor what looks into pages that this dump was distilled without, which a plain
# image holds as zeros.
OF_THE_FILE = ("coverage", "dump", "facts", "slabpointers", "parameters")
PLAIN = ("raw", "gcore")
SECTIONS = ["verdict", *(key for key, _ in TABLES if key not in OF_THE_FILE and held(key, PATH.stem))]
DISTILLED = ("elf", "elf flattened", "kdump split", "libvirt", "gcore", "raw", "xen pv")


@pytest.fixture(scope="module")
def machine() -> Any:
    return Machine(PATH)


@pytest.fixture(scope="module")
def expected() -> Any:
    return build(open_kernel([PATH]), SECTIONS, stacks=True)


def differing(report: dict[str, Any], expected: Any) -> Any:
    """The sections that differ, and every problem."""
    return {name for name in SECTIONS if report[name] != expected[name]}, [p["message"] for p in report["problems"]]


def test_every_container_is_a_route() -> None:
    routes = {name.split()[0] for name in ROUTES}
    assert routes >= {line.key for line in FORMATS} - {"log"}  # a log is no memory: test_log has its forms


@pytest.mark.thorough
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_gives_the_same_report(route: Any, machine: Machine, expected: Any, tmp_path: Path) -> None:
    kernel = open_kernel(ROUTES[route](machine, tmp_path))
    assert differing(build(kernel, SECTIONS, stacks=True), expected) == (set(), [])
    assert kernel.facts.complete, kernel.facts.problems


@pytest.mark.thorough
@pytest.mark.parametrize("route", DISTILLED)
def test_what_is_distilled_from_any_route_gives_the_same_report(
    route: str, machine: Machine, expected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kdump_file, "LEVEL", 1)
    out = tmp_path / "small.kdump"
    done = distill(open_path(*ROUTES[route](machine, tmp_path)), out, lambda _text: None)
    assert done.bytes == out.stat().st_size
    # More are the tables of what large pages map (Xen), and zeros of a plain image where the source left pages out.
    most = 2 if route in PLAIN else 1.05
    assert len(machine.pages) * 0.8 < done.pages < len(machine.pages) * most
    assert differing(build(open_kernel([out]), SECTIONS, stacks=True), expected) == (set(), [])


def test_what_a_hypervisor_tells_of_its_cpus_stays(tmp_path: Path) -> None:
    cpus = [
        CpuState(
            cpu,
            "x86_64",
            {name: n << 8 | cpu for n, name in enumerate(GENERAL)},
            {name: SegmentRegister(n * 8, n << 12 | cpu, n, 0xA0) for n, name in enumerate(kdump_file._SEGMENTS)},
            {"cr0": 1, "cr2": 2, "cr3": 3 + cpu, "cr4": 4},
            cpu + 77,
        )
        for cpu in range(3)
    ]
    path = tmp_path / "small.kdump"
    dump = open_path(PATH)
    about = kdump_file.Machine(dump.facts(), "#1", 0, 3, dump.ranges())
    pages = kdump_file.Pages([5], lambda _pfn: bytes(4096), None, {})
    kdump_file.write(path, about, kdump_file.cpu_notes(cpus), pages, 4096, print)
    again = open_path(path)
    assert again.cpus() == [
        CpuState(c.cpu, c.machine, c.general, c.segments, c.control, c.kernel_gs_base) for c in cpus
    ]
    statuses = [n for n in again.notes() if n.name == "CORE"]
    assert [len(n.desc) for n in statuses] == [336] * 3
    regs = attach(dump, print).arch.registers(statuses[1].desc)
    general, segments = cpus[1].general, cpus[1].segments
    assert {regs[n] == general[n] for n in ("rax", "rbx", "rip", "rsp", "rbp", "r8", "r15", "rdi")} == {True}
    assert (regs["eflags"], regs["cs"], regs["ss"]) == (general["rflags"], 0, segments["ss"].selector)
    assert (regs["gs_base"], regs["gs"]) == (segments["gs"].base, segments["gs"].selector)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="drgn runs on Linux only")
def test_drgn_opens_what_is_distilled(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drgn = pytest.importorskip("drgn")
    monkeypatch.setattr(kdump_file, "LEVEL", 1)
    out = tmp_path / "small.kdump"
    distill(open_path(*ROUTES["raw"](machine, tmp_path)), out, lambda _text: None)
    program = drgn.Program()
    program.set_core_dump(out)
    assert program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL
    text = program["VMCOREINFO"].string_().decode()
    release = re.search(r"^OSRELEASE=(.+)$", text, re.MULTILINE)[1]
    address = int(re.search(r"^SYMBOL\(init_uts_ns\)=([0-9a-f]+)$", text, re.MULTILINE)[1], 16)
    uts = program.read(address, 1024)
    kernel = open_kernel([PATH])
    assert release == kernel.facts.release
    assert release.encode() in uts
    assert program.read(kernel.symbol("linux_banner"), 30).startswith(b"Linux version " + release.encode()[:4])
    (pid,) = struct.unpack(
        "<i", program.read(kernel.symbol("init_task") + kernel.types.member("task_struct", "pid").offset, 4)
    )
    assert pid == 0
