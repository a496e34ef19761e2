"""A real 32-bit kernel with PAE, without types, and with symbols of functions alone: what can be said of it is said."""

from pathlib import Path

import pytest

from core.kernel.fakes import FakeKernel, Ram
from oopscope.boot.attach import attach
from oopscope.dumps import open_path
from oopscope.errors import NotMapped
from oopscope.kernel.machine import State
from oopscope.kernel.stack import Stack
from oopscope.linux.module import ModuleMap, module_map
from oopscope.machine import arch
from oopscope.machine.i386.machine import MACHINE
from oopscope.machine.i386.stacks import stacks_by_cpu
from oopscope.machine.i386.unwind import PT_REGS, SWITCH_FRAMES, TOP_BIT, Unwinder, from_sleep, keeps_frame_pointers
from oopscope.report.build import build
from oopscope.report.facts import system_facts
from oopscope.report.page.stacks import render_cpus
from oopscope.report.text import cpus_text

DUMP = Path(__file__).with_name("6.5-i386.kdump")
# What the kernel printed of its own stack as it died.
TRACE = (
    *("panic", "mount_root_generic", "mount_root", "prepare_namespace", "kernel_init_freeable", "kernel_init"),
    *("ret_from_fork", "ret_from_fork_asm", "entry_INT80_32"),
)
IDLE = ("default_idle", "default_idle_call", "do_idle", "cpu_startup_entry", "start_secondary", "startup_32_smp")
SECTIONS = ("dump", "system", "verdict", "cpus", "tasks", "meminfo", "modules", "mounts", "log")


def test_a_report() -> None:
    report = build(attach(open_path(DUMP), lambda _text: None), SECTIONS, stacks=True)
    system, cpus = report["system"], report["cpus"]
    assert report["dump"]["arch"] == "i386"
    assert report["verdict"]["cause"] == "root-not-mounted"
    assert system["release"] == "6.5.0-0.deb12.4-686-pae"
    assert system["machine"] == "i686"
    assert system["page_table_levels"] == 3
    assert system["command_line"].endswith("root=/dev/vda1")
    assert [(c["cpu"], c["state"], c["pid"], c["comm"]) for c in cpus] == [
        (0, "panic", 1, "swapper/0"),
        (1, None, None, None),
    ]
    names = [f["symbol"] for f in cpus[0]["frames"]]
    assert names[names.index("panic") :] == list(TRACE)
    assert all(f["reliable"] for f in cpus[0]["frames"])
    log = [r["text"] for r in report["log"]]
    assert len(log) > 300
    assert "end Kernel panic - not syncing: VFS: Unable to mount root fs" in log[-1]
    assert not any("fault of oopscope" in p["message"] for p in report["problems"])
    assert sum("no types" in p["message"] for p in report["problems"]) <= 4


def test_cpus_whose_masks_are_not_named_are_not_said_to_be_offline() -> None:
    report = build(attach(open_path(DUMP), lambda _text: None), ("dump", "system", "cpus"), stacks=True)
    assert [c["online"] for c in report["cpus"]] == [None, None]
    assert "offline" not in cpus_text(report["cpus"]) and "offline" not in render_cpus(report)
    assert ("CPUs", "2, not by the kernel's own count") in system_facts(report["system"])


def test_what_an_interrupt_came_upon() -> None:
    """An entry makes no frame: a chain of frames alone ended there, and idling went untold."""
    report = build(attach(open_path(DUMP), lambda _text: None), ("cpus",), stacks=True)
    frames = report["cpus"][1]["frames"]
    assert [(f["symbol"], f["kind"]) for f in frames[2:]] == [
        ("sysvec_reboot", "task"),
        ("handle_exception", "irq"),
        *((name, "task") for name in IDLE),
    ]
    assert all(f["reliable"] for f in frames)


STACK, TEXT = Stack(0xC1000000, 0xC1002000, "task"), 0xC8000000
SYSTEM_CALL, READ = TEXT + 0x1000, TEXT + 0x2000
USER = {"eip": 0x8049000, "esp": 0xBFFF0000, "cs": 0x73, "eflags": 0x246, "ebp": 0xBFFF0010}


@pytest.mark.parametrize(
    "changed, kinds",
    [
        ({}, ["task", "syscall", "user"]),
        ({"eip": 0xC9000000}, ["task", "task"]),  # no program is there
        ({"eflags": 0}, ["task", "task"]),
    ],
)
def test_a_system_call_ends_at_its_program(changed: dict[str, int], kinds: list[str]) -> None:
    ram, regs_at = Ram(word=4), STACK.end - 0x80
    ram.put(SYSTEM_CALL, b"\x90" * 256)
    ram.put(READ, b"\x55\x89\xe5".ljust(256, b"\x90"))
    ram.words(regs_at - 8, USER["ebp"], SYSTEM_CALL + 0x20)
    ram.words(regs_at, *({**USER, **changed}.get(name, 0) for name in PT_REGS))
    places = {"_stext": TEXT, "_etext": TEXT + 0x100000, "entry_INT80_32": SYSTEM_CALL, "ksys_read": READ}
    kernel = FakeKernel(ram, places, {keeps_frame_pointers: True, module_map: ModuleMap([]), stacks_by_cpu: {}})
    kernel.machine = MACHINE
    frames = Unwinder(kernel, [STACK]).frames(State(READ + 0x10, regs_at - 0x40, regs_at - 8, True))
    assert [f.kind for f in frames] == kinds
    assert frames[-1].address == (USER["eip"] if "user" in kinds else SYSTEM_CALL + 0x20)


SCHEDULE, FORK, HANDLER = TEXT + 0x3000, TEXT + 0x4000, TEXT + 0x5000
IRQ_STACK = Stack(0xC1100000, 0xC1102000, "irq")


def sleeping() -> tuple[Ram, FakeKernel]:
    """Return a kernel with a system call, schedule(), and a CPU's interrupt stack."""
    ram = Ram(word=4)
    ram.put(SYSTEM_CALL, b"\x90" * 256)
    for function in (READ, SCHEDULE, HANDLER):
        ram.put(function, b"\x55\x89\xe5\xe8\x00\x00\x00\x00".ljust(256, b"\x90"))
    ram.put(FORK, b"\x90" * 256)
    places = {"_stext": TEXT, "_etext": TEXT + 0x100000, "entry_INT80_32": SYSTEM_CALL, "ksys_read": READ}
    places |= {"__schedule": SCHEDULE, "ret_from_fork": FORK, "handle_irq": HANDLER}
    own = {0: [IRQ_STACK]}
    kernel = FakeKernel(ram, places, {keeps_frame_pointers: True, module_map: ModuleMap([]), stacks_by_cpu: own})
    kernel.machine = MACHINE
    return ram, kernel


@pytest.mark.parametrize("words", SWITCH_FRAMES)
def test_a_sleeper_is_unwound_by_what_the_switch_pushed(words: int) -> None:
    """All of a sleeper's frames were a guess, from a scan of its stack."""
    ram, kernel = sleeping()
    sp, regs_at = STACK.end - 0x200, STACK.end - 0x80
    ram.words(sp, *([0x246] * (words - 2)), STACK.end - 0x100, SCHEDULE + 8)
    ram.words(STACK.end - 0x100, regs_at - 8, READ + 8)
    ram.words(regs_at - 8, USER["ebp"], SYSTEM_CALL + 0x20)
    ram.words(regs_at, *(USER.get(name, 0) for name in PT_REGS))
    start = from_sleep(kernel, 0, sp)
    assert (start.pc, start.sp) == (SCHEDULE + 8, sp + 4 * words)
    frames = Unwinder(kernel, [STACK]).frames(start)
    assert [(f.symbol, f.kind, f.reliable) for f in frames] == [
        ("__schedule", "task", True),
        ("ksys_read", "task", True),
        ("entry_INT80_32", "syscall", True),
        (None, "user", True),
    ]


def test_a_child_that_has_not_run_returns_to_its_program() -> None:
    ram, kernel = sleeping()
    sp, regs_at = STACK.end - 0x100, STACK.end - 0x80
    ram.words(sp, 0, 0, 0, 0, regs_at & ~TOP_BIT, FORK)
    ram.words(regs_at, *(USER.get(name, 0) for name in PT_REGS))
    frames = Unwinder(kernel, [STACK]).frames(from_sleep(kernel, 0, sp))
    assert [(f.address, f.kind) for f in frames] == [(FORK, "syscall"), (USER["eip"], "user")]


def test_a_frame_pointer_leads_from_an_interrupt_stack_to_the_one_that_was_left() -> None:
    ram, kernel = sleeping()
    ram.words(IRQ_STACK.end - 0x40, STACK.end - 0x100, HANDLER + 8)
    ram.words(STACK.end - 0x100, 0, READ + 8)
    frames = Unwinder(kernel, [STACK]).frames(State(HANDLER + 2, IRQ_STACK.end - 0x60, IRQ_STACK.end - 0x40, True))
    assert [f.symbol for f in frames] == ["handle_irq", "handle_irq", "ksys_read"]
    assert all(f.reliable for f in frames)


def test_page_tables_of_two_levels() -> None:
    """A page of 4 MiB, one of 4 KiB, and none."""
    memory = {0x1000 + 4 * 768: 0x00400083, 0x1000 + 4 * 769: 0x00002003, 0x2000 + 4 * 5: 0x00ABC003}

    def read(address: int, size: int) -> bytes:
        return memory.get(address, 0).to_bytes(size, "little")

    paging = arch("i386").pagings["2-level"]
    large = paging.translate(0x1000, 0xC0012345, read)
    assert (large.start, large.size) == (0x400000, 1 << 22)
    small = paging.translate(0x1000, 0xC0405678, read)
    assert (small.start, small.size) == (0xABC000, 4096)
    try:
        paging.translate(0x1000, 0xC0406678, read)
    except NotMapped as e:
        assert e.address == 0xC0406678
    else:
        raise AssertionError
