"""What a log tells of the machine in place of its memory: its names and times, its CPUs as far as reports show them.

Each function reads from the log what a reader of memory reads from a dump, in the same rows; what the log does not say
is None. Follows init/main.c, init/version.c, kernel/smp.c and mm/mm_init.c for the words of the boot.
"""

from collections.abc import Iterable

from oopscope.errors import NotInLog
from oopscope.kernel.kernel import Kernel
from oopscope.klog.end import end_of
from oopscope.klog.of_kernel import the_log
from oopscope.klog.parse import Log
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.linux.module_list import Row
from oopscope.linux.system import System
from oopscope.linux.taint import FLAGS, taint_letters
from oopscope.stacks.cpus import Cpu

VERSION = lazy_re(r"Linux version (?P<release>\S+) .*?(?P<build>#\d.*)$")
COMMAND_LINE = lazy_re(r"(?:Kernel command|Command) line: (?P<line>.*)")
MEMORY = lazy_re(r"Memory: \d+[kK]/(?P<total>\d{1,18})[kK] available")
CPUS = lazy_re(
    r"(?:smpboot: Allowing (?P<allowed>\d{1,18})|smp: Brought up \d+ nodes?, (?P<up>\d{1,18}) CPU|"
    r"Brought up (?P<old>\d{1,18}) CPU)"
)
SHOWN = (
    "oops",
    "panic",
    "soft-lockup",
    "hard-lockup",
    "backtrace",
    "serror",
    "rcu-stall",
)  # of whose CPU it is the end
MOST_CPUS = 8192


def system(kernel: Kernel) -> System:
    """Return what the log says of the machine and its kernel."""
    log = kernel.cached(the_log)
    said = _boot_words(log)
    last = next((r for r in reversed(log.reports) if r.who.release or r.who.taint is not None), None)
    mask = _mask(last.who.taint) if last is not None and last.who.taint is not None else None
    up = _uptime(log)
    return System(
        nodename=kernel.facts.nodename,
        release=said.get("release") or (last.who.release if last else None) or kernel.facts.release,
        version=said.get("build"),
        machine=kernel.machine_name,
        crash_time=None,
        boot_time=None,
        uptime_seconds=up,
        load_average=None,
        cpus_online=int(said["up"]) if "up" in said else None,
        cpus_present=int(said["allowed"]) if "allowed" in said else None,
        memory_bytes=int(said["total"]) << 10 if "total" in said else None,
        task_count=None,
        tainted=mask,
        taint=taint_letters(mask) if mask is not None else None,
        command_line=said.get("line"),
        kaslr_offset=None,
        page_table_levels=None,
        boot_ns=None,
        log_epoch_ns=None,
    )


def _boot_words(log: Log) -> dict[str, str]:
    """Return what the kernel said when it booted, by the names of the patterns' groups."""
    found: dict[str, str] = {}
    texts = log.lines.texts
    start = _last_boot(log)
    for row in range(start, len(texts)):
        text = texts[row]
        if not text.startswith(("Linux v", "Kernel c", "Command", "Memory:", "smp", "Brought", "SMP")):
            continue
        for pattern in (VERSION, COMMAND_LINE, MEMORY, CPUS):
            match = pattern.match(text)
            for key, value in match.groupdict().items() if match else ():
                if value is not None:
                    found.setdefault("up" if key == "old" else key, value[:16384])
    return found


def _last_boot(log: Log) -> int:
    """Return the row at which the boot begins that died; the first row where the log has no beginning."""
    end = end_of(log)
    before = [row for row in log.boots if end.cause is None or row <= end.cause.row]
    return before[-1] if before else 0


def _uptime(log: Log) -> float | None:
    """Return the seconds of the kernel's clock at the end of the boot that died."""
    end = end_of(log)
    stop = next((row for row in log.boots if end.cause is not None and row > end.cause.row), len(log.lines))
    for row in range(stop - 1, -1, -1):
        ns = log.lines.record(row).ns
        if ns is not None:
            return float(ns // 1000 / 1e6)
    return None


def _mask(letters: str) -> int:
    return sum(1 << bit for bit, flag in enumerate(FLAGS) if flag.letter in letters)


def cpus(kernel: Kernel) -> list[Cpu]:
    """Return the CPUs that reports of the end show, the one that died first; NotInLog where none is named."""
    log = kernel.cached(the_log)
    end = end_of(log)
    boot = end.cause.boot if end.cause else len(log.boots)
    dead = next((r.cpu for r in (*end.chain[:1], *end.chain[::-1]) if r.cpu is not None), None)
    found: dict[int, Report] = {}
    for report in log.reports:
        cpu = report.cpu
        if report.boot != boot or report.kind not in SHOWN or cpu is None or cpu >= MOST_CPUS:
            continue
        if cpu == dead and report not in end.chain:
            continue
        held = found.get(cpu)
        if held is None or (cpu == dead and not held.frames) or (cpu != dead and report.frames):
            found[cpu] = report
    if not found:
        raise NotInLog
    return [_cpu(found[cpu], cpu == dead) for cpu in sorted(found, key=lambda cpu: (cpu != dead, cpu))]


def _cpu(report: Report, dead: bool) -> Cpu:
    state = "panic" if dead else "user" if report.in_user else "idle" if report.pid == 0 else "running"
    return Cpu(
        cpu=report.cpu or 0,
        online=True,
        state=state,
        pid=report.pid,
        comm=report.comm,
        task=None,
        frames=report.frames,
        registers=report.registers or None,
    )


def modules(kernel: Kernel) -> list[Row]:
    """Return the modules that the last report of the end lists; NotInLog where none does."""
    log = kernel.cached(the_log)
    end = end_of(log)
    known: Iterable[Report] = (*reversed(end.chain), *reversed(log.reports))
    listed = next((r.modules for r in known if r.modules is not None), None)
    if listed is None:
        raise NotInLog
    return [Row(m.name, None, None, None, None, _state(m.flags), m.flags.strip("+-")) for m in listed]


def _state(flags: str) -> str:
    return "coming" if "+" in flags else "going" if "-" in flags else "live"
