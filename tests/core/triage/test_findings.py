"""Each kind of finding is made of its own words and facts, and not of a near miss's."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import oopscope.triage.findings
from core.triage.deaths import NULL, SYSRQ, SYSRQ_LOG, panicked
from core.triage.fakes import behind_disk, cpu, death, stack, task, wait
from oopscope.linux.sched import CpuQueue, runqueues
from oopscope.linux.tick import ticks_due
from oopscope.stacks.cpus import all_cpus
from oopscope.triage.findings import FINDINGS, findings_of
from oopscope.waits.graph import Claim, Graph, Node, joined

WHO = "CPU: 0 PID: 12 Comm: other Not tainted 6.12.1 #1\nRIP: 0010:other_work+0x1/0x2\nCall Trace:\n kthread+0x1/0x2\n"
OOPS = f"{NULL}\n{WHO}---[ end trace 0000000000000000 ]---"
WARNED = f"""------------[ cut here ]------------
WARNING: CPU: 0 PID: 12 at fs/store.c:12 store_put+0x21/0x40 [stored]
{WHO}"""
WARNED += "---[ end trace 0000000000000000 ]---"
STALL = """rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t1-....: (5249 ticks this GP) idle=1d34/1/0x4000000000000000 softirq=1200/1200 fqs=2624
rcu: \t(detected by 0, t=5252 jiffies, g=1233, q=40 ncpus=2)"""
LOCKUP = "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [storaged:321]"

# What the log says, what must be found of it (its id, words of its text), and how grave it is.
SAID = {
    "an oops": (OOPS, "earlier-oops", "other (PID 12) in other_work", "error"),
    "a warning": (WARNED, "warning", "fs/store.c:12", "warning"),
    "a slab": ("BUG kmalloc-64 (Tainted: G    B  ): Right Redzone overwritten", "memory-corruption", "SLUB", "error"),
    "a lockup": (LOCKUP, "soft-lockup", "CPU 1 was stuck for 22 s, run by storaged (PID 321)", "error"),
    "a stall": (STALL, "rcu-stall", "CPU 1", "error"),
    "a task": ("INFO: task tar:52 blocked for more than 120 seconds.", "hung-task", "tar (PID 52)", "error"),
    "work": (
        "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 40s!",
        "workqueue-lockup",
        "40 s",
        "error",
    ),
    "a kill": (
        "Out of memory: Killed process 77 (hungry) total-vm:1kB, anon-rss:1kB",
        "out-of-memory",
        "hungry (PID 77)",
        "error",
    ),
    "a disk": ("blk_update_request: I/O error, dev sdb, sector 2048 op 0x0", "io-error", "on sdb", "error"),
    "a disk since 6.0": ("I/O error, dev vdc, sector 2048 op 0x0:(READ)", "io-error", "on vdc", "error"),
    "a file system": (
        "EXT4-fs error (device sda1): ext4_lookup:1701: inode #2",
        "filesystem-error",
        "on sda1",
        "error",
    ),
    "memory": ("EDAC MC0: 1 CE memory read error on DIMM_A1", "memory-error-corrected", "corrected", "warning"),
    "pcie": (
        "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer",
        *("pcie-error-corrected", "0000:00:1c.0", "warning"),
    ),
    "firmware": ("[Firmware Bug]: TSC doesn't count with P0 frequency!", "firmware-bug", "P0 frequency", "note"),
    "a clock": ("clocksource: Marking clocksource 'tsc' as unstable because", "clock-trouble", "'tsc'", "note"),
    "a module": ("stored: loading out-of-tree module taints kernel.", "taint", "stored", "note"),
}
FINE = {
    "a boot's sources": "clocksource: Switched to clocksource tsc",
    "a mount": "EXT4-fs (sda1): mounted filesystem with ordered data mode",
    "edac": "EDAC MC: Ver: 3.0.0",
    "aer": "pcieport 0000:00:1c.0: AER: enabled with IRQ 24",
    "a driver": "stored: I am a module with errors=remount-ro",
    "ata": "ata1.00: configured for UDMA/133",
}


def survived(text: str, **more: Any) -> Any:
    """The machine lived on until somebody crashed it."""
    return findings_of(death(f"Linux version 6.12.1\n{text}{SYSRQ_LOG}", SYSRQ, **more))


@pytest.mark.parametrize("name", SAID)
def test_what_the_log_says_is_found(name: str) -> None:
    text, slug, words, severity = SAID[name]
    (found,) = survived(text)
    assert (found.id, found.severity) == (slug, severity)
    assert words in found.text
    assert found.evidence[0].source.kind == "log"
    assert found.age_seconds is not None and found.age_seconds >= 0


@pytest.mark.parametrize("name", FINE)
def test_what_is_no_trouble_is_not_found(name: str) -> None:
    assert survived(FINE[name]) == []


@pytest.mark.parametrize("name", SAID)
def test_an_earlier_boot_is_no_finding(name: str) -> None:
    assert survived(f"{SAID[name][0]}\nLinux version 6.12.1") == []


def test_what_was_died_of_is_no_finding() -> None:
    fatal = f"{OOPS}\nKernel panic - not syncing: Fatal exception"
    assert (
        findings_of(
            death(fatal, ("panic+0x1", "oops_end+0x1", "asm_exc_page_fault+0x22 <exception>", "other_work+0x1"))
        )
        == []
    )


def test_a_circle_of_locks_is_found_though_nobody_noticed() -> None:
    locks = [wait(41, "one", 0x1000, (52, "two")), wait(52, "two", 0x2000, (41, "one"))]
    (found,) = survived("", locks_=locks)
    assert (found.id, found.severity) == ("deadlock", "error")
    assert "one (PID 41) waits for the mutex 0x1000, two (PID 52) waits" in found.text


def circle_through_work() -> Graph:
    """A task flushes a work item that waits for a mutex that it holds."""
    base = 0xFFFF888000000000
    flusher = Node("task:41", "task", "flusher", base + 41, 41, "D")
    worker = Node("task:52", "task", "kworker/0:1", base + 52, 52, "D")
    work, mutex = Node("work:0x1", "work", "lab_work", 1), Node("mutex:0x2", "mutex", "lab_lock", 2)
    return joined([
        Claim(flusher, work, "waits_for", "linked", 9.0), Claim(work, worker, "held_by", "recorded"),
        Claim(worker, mutex, "waits_for", "linked", 8.0), Claim(mutex, flusher, "held_by", "recorded"),
    ])  # fmt: skip


def test_a_circle_through_a_work_item_is_a_deadlock() -> None:
    (found,) = survived("", graph=circle_through_work())
    assert (found.id, found.age_seconds) == ("deadlock", 9.0)
    assert "flusher (PID 41) waits for the work lab_work, kworker/0:1 (PID 52) waits for the mutex lab_l" in found.text
    hung = "INFO: task flusher:41 blocked for more than 120 seconds."
    dead = panicked("hung_task: blocked tasks", ("watchdog+0xd1",), hung, tasks_=[task(41, "flusher", "D")],
                    graph=circle_through_work())  # fmt: skip
    found = import_module("oopscope.triage.rules.deadlock").check(dead)
    assert (found.cause, found.confidence) == ("deadlock", "certain")
    assert found.title.endswith("and for a work")


def test_a_disk_that_owes_an_answer_is_found_with_who_waits_behind_it() -> None:
    graph, owed = behind_disk(41, "dd")
    (found,) = survived("", graph=graph, requests_=owed)
    assert (found.id, found.age_seconds) == ("io-stall", 130.0)
    assert "the disk vda does not answer" in found.text
    young = behind_disk(41, "dd", age=0.2)
    assert survived("", graph=young[0], requests_=young[1]) == []


def behind_server(since: float) -> Graph:
    """A task holds a mutex and waits for a call, another one waits for the mutex."""
    base = 0xFFFF888000000000
    first = Node("task:41", "task", "reader", base + 41, 41, "D")
    second = Node("task:52", "task", "next", base + 52, 52, "D")
    mutex, call = Node("mutex:0x2", "mutex", "lab_lock", 2), Node("rpc:0x3", "rpc", "GETATTR of filer", 3)
    server = Node("server:0x4", "server", "filer", 4)
    return joined([
        Claim(first, call, "waits_for", "linked", since), Claim(call, server, "behind", "recorded"),
        Claim(second, mutex, "waits_for", "linked", since - 1), Claim(mutex, first, "held_by", "recorded"),
    ])  # fmt: skip


def test_a_server_that_owes_an_answer_is_found_with_who_waits_behind_it() -> None:
    (found,) = survived("", graph=behind_server(40.0))
    assert (found.id, found.age_seconds) == ("io-stall", 40.0)
    assert found.text == "the server filer does not answer; 2 tasks wait behind it"
    assert survived("", graph=behind_server(4.0)) == []


def test_a_hung_task_is_followed_beyond_the_holder_of_its_lock() -> None:
    base = 0xFFFF888000000000
    hung = "INFO: task next:52 blocked for more than 120 seconds."
    tasks = [task(41, "reader", "D"), task(52, "next", "D", since_last_run_seconds=130.0)]
    tasks = [one._replace(address=base + one.pid) for one in tasks]
    lock = wait(52, "next", 0x2, (41, "reader"))._replace(task=base + 52, owner=base + 41)
    dead = panicked("hung_task: blocked tasks", ("watchdog+0xd1",), hung, tasks_=tasks, locks_=[lock],
                    graph=behind_server(130.0))  # fmt: skip
    found = import_module("oopscope.triage.rules.hung_task").check(dead)
    assert (
        "that reader (PID 41) holds, which waits for the rpc GETATTR of filer, behind the server filer" in found.summary
    )


def test_blocked_tasks_are_found_by_how_long_they_are() -> None:
    assert survived("", tasks_=[task(5, "nfsd", "D", since_last_run_seconds=0.2), task(6, "sh", "S")]) == []
    (found,) = survived("", tasks_=[task(5, "nfsd", "D", since_last_run_seconds=130.0)])
    assert (found.id, found.severity, found.age_seconds) == ("blocked-tasks", "error", 130.0)


STUCK = ("store_poll+0x5 [stored]", "kthread+0xda")


@pytest.mark.parametrize(("clock", "state", "found"), [(1, "running", True), (9, "running", False), (1, "idle", False)])
def test_a_cpu_whose_clock_stands_still_while_it_runs_a_task_is_found(clock: int, state: str, found: bool) -> None:
    made = death("Linux version 6.12.1", others=[cpu(1, stack(*STUCK), state, 77, "poller")], panicked=None)
    made.kernel._known[runqueues] = [CpuQueue(n, 1, 0, 0, 0, c * 10**9) for n, c in ((0, 10), (1, clock))]  # type: ignore[attr-defined]
    told = [one for one in findings_of(made) if one.id == "stuck-cpu"]
    assert len(told) == found
    if found:
        assert (
            "CPU 1 took no tick for 9.0 s: it stands in store_poll+0x5 [stored], run by poller (PID 77)" in told[0].text
        )


IN_TIMER = ("store_poll+0x5 [stored] <irq>", "hrtimer_interrupt+0xf4 <irq>",
            "asm_sysvec_apic_timer_interrupt+0x16 <irq>", "vfs_read+0x9d")  # fmt: skip
AT_STOP = ("stop_this_cpu+0x63 <irq>", "asm_sysvec_reboot+0x16 <irq>", "vfs_read+0x9d")


@pytest.mark.parametrize(("frames", "stands"), [(IN_TIMER, "store_poll+0x5 [stored], in an interrupt; poller (PID 77)"),
                                                (AT_STOP, "vfs_read+0x9d, run by poller (PID 77)")])  # fmt: skip
def test_a_tick_long_due_tells_of_a_handler_that_does_not_end(frames: tuple[str, ...], stands: str) -> None:
    """The run queue's clock is brought up to date by others; the tick is not."""
    made = death("Linux version 6.12.1", others=[cpu(1, stack(*frames), "running", 77, "poller")], panicked=None)
    known = made.kernel._known  # type: ignore[attr-defined]
    known[runqueues] = [CpuQueue(n, 1, 0, 0, 0, 10**11) for n in (0, 1)]
    known[ticks_due] = {0: 10**11 + 4_000_000, 1: 15 * 10**9}
    (told,) = [one for one in findings_of(made) if one.id == "stuck-cpu"]
    assert f"CPU 1 took no tick for 85.0 s: it stands in {stands}" in told.text


STOPPER = ("stop_machine_yield+0x2", "multi_cpu_stop+0x9d", "kthread+0xda")


@pytest.mark.parametrize(("flags", "kind"), [((0x46, 0x46), "stuck-cpu"), ((0x246, 0x46), None)])
def test_a_machine_none_of_whose_cpus_takes_interrupts_is_not_healthy(flags: tuple[int, int], kind: str | None) -> None:
    first = cpu(1, stack(*STUCK), "running", 77, "migration/1")._replace(registers={"eflags": flags[0]})
    other = cpu(0, stack(*STOPPER), "running", 16, "migration/0")._replace(registers={"eflags": flags[1]})
    made = death("Linux version 6.12.1", panicked=None)
    made.kernel._known[all_cpus] = [first, other]  # type: ignore[attr-defined]
    told = [one for one in findings_of(made) if one.id == "stuck-cpu"]
    assert [one.id for one in told] == ([kind] if kind else [])
    if kind:
        assert "CPU 1 stands in store_poll+0x5 [stored], run by migration/1 (PID 77)" in told[0].text
        assert "the other waits for all CPUs" in told[0].text


def test_every_kind_has_its_file_and_its_line() -> None:
    folder = Path(oopscope.triage.findings.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} == {*FINDINGS, "__init__", "of_log"}
    for name in FINDINGS:
        module = import_module(f"oopscope.triage.findings.{name}")
        assert module.__doc__
        assert ast.get_docstring(ast.parse(Path(module.__file__).read_text()))
        assert module.find.__doc__
