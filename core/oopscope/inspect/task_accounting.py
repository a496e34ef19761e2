"""What one task has used and waited for: I/O, delays, scheduling, timers, its tracer, its futexes.

Follows include/linux/{task_io_accounting.h,delayacct.h,sched.h}, fs/proc/base.c and kernel/{delayacct.c,futex}. One
task at a time, and in no report.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.fact import Fact, Link
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.kinds import Kind
from oopscope.kernel.walk import for_each_list
from oopscope.linux.task import task_structs
from oopscope.structs.plan import Plan

IOPRIO_SHIFT, IOPRIO = 13, {0: "none", 1: "real-time", 2: "best-effort", 3: "idle"}
PT_PTRACED = 1
MAX_TRACED = 1000
DELAYS = (
    ("blkio", "for block I/O"), ("swapin", "for pages from swap"), ("freepages", "reclaiming memory"),
    ("thrashing", "for pages just evicted"), ("compact", "compacting memory"), ("wpcopy", "copying on write"),
    ("irq", "interrupted"),
)  # fmt: skip
IO: tuple[tuple[str, str, Kind], ...] = (
    ("rchar", "read by calls", "bytes"), ("wchar", "written by calls", "bytes"), ("syscr", "calls to read", "int"),
    ("syscw", "calls to write", "int"), ("read_bytes", "from storage", "bytes"),
    ("write_bytes", "to storage", "bytes"), ("cancelled_write_bytes", "not written after all", "bytes"),
)  # fmt: skip


class Spent(NamedTuple):
    """struct task_struct: what was counted."""

    signal: int
    run_delay: int | None
    pcount: int | None
    sum_exec_runtime: int
    timer_slack_ns: int
    io_context: int
    ptrace: int
    parent: int
    real_parent: int
    ptraced: int  # the list of those that it traces
    delays: int | None
    robust_list: int | None  # to 7.1: later in its futex's own struct
    altstack: int
    altstack_size: int


SPENT = Plan(
    "task_struct", Spent, run_delay="sched_info.run_delay", pcount="sched_info.pcount",
    sum_exec_runtime="se.sum_exec_runtime", ptraced="&ptraced", robust_list=("robust_list", "futex.robust_list"),
    altstack="sas_ss_sp", altstack_size="sas_ss_size",
)  # fmt: skip


def accounting(kernel: Kernel, task: int) -> list[Fact]:
    """Return what a task has used; ReadError where its struct is not there."""
    row = kernel.bind(SPENT).row(task)
    facts = [
        Fact("cpu_time", "CPU time", "seconds", row.sum_exec_runtime / 1e9),
        Fact("run_delay", "Waited for CPU", "seconds", None if row.run_delay is None else row.run_delay / 1e9),
        Fact("timer_slack_ns", "Timer slack ns", "int", row.timer_slack_ns),
    ]
    for title, read in (("io", _io), ("delays", _delays), ("io_priority", _io_priority), ("tracing", _tracing)):
        try:
            facts += read(kernel, task, row)
        except Absent:
            continue
        except OopscopeError as e:
            facts.append(Fact(title, title.replace("_", " ").capitalize(), why=str(e)))
    if row.robust_list:
        facts.append(Fact("robust_list", "Robust futexes", "address", row.robust_list))
    if row.altstack_size:
        facts.append(Fact("altstack", "Signal stack", "address", row.altstack))
    return facts


def _io(kernel: Kernel, task: int, row: Spent) -> Iterator[Fact]:
    """The thread's own counts, as /proc/PID/task/TID/io has them; its process's, as /proc/PID/io, where they differ.

    A process's are those of its threads, of threads that ended, and of children that it has waited for.
    """
    kept, mine = kernel.types.member("task_struct", "ioac").offset, task_structs(kernel)[task]
    own = _counts(kernel, task + kept)
    yield Fact("io", "I/O", parts=tuple(Fact(name, title, kind, own[name]) for name, title, kind in IO if name in own))
    if mine.pid != mine.tgid:
        return
    sums = Counter(_counts(kernel, row.signal + kernel.types.member("signal_struct", "ioac").offset))
    for thread in [other for other in task_structs(kernel).values() if other.tgid == mine.tgid]:
        sums.update(_counts(kernel, thread.address + kept))
    if any(sums[name] != value for name, value in own.items()):
        parts = [Fact(f"process_{name}", title, kind, sums[name]) for name, title, kind in IO if name in own]
        yield Fact("process_io", "Process's I/O", parts=tuple(parts))


def _counts(kernel: Kernel, at: int) -> dict[str, int]:
    """Return the counters of a struct task_io_accounting that this kernel has."""
    offsets = {
        name: kernel.types.member("task_io_accounting", name).offset
        for name, _, _ in IO
        if kernel.types.has_member("task_io_accounting", name)
    }
    return {name: int.from_bytes(kernel.memory.read(at + offset, 8), kernel.arch.byteorder)
            for name, offset in offsets.items()}  # fmt: skip


def _delays(kernel: Kernel, task: int, row: Spent) -> Iterator[Fact]:
    """What delay accounting counted: it is off unless the command line or kernel.task_delayacct turned it on."""
    if not row.delays:
        return
    parts = []
    for name, title in DELAYS:
        if not kernel.types.has_member("task_delay_info", f"{name}_delay"):
            continue
        at = row.delays + kernel.types.member("task_delay_info", f"{name}_delay").offset
        count = kernel.memory.u32(row.delays + kernel.types.member("task_delay_info", f"{name}_count").offset)
        if count:
            spent = int.from_bytes(kernel.memory.read(at, 8), kernel.arch.byteorder) / 1e9
            parts.append(Fact(f"{name}_delay", title, "seconds", spent))
    yield Fact("delays", "Waited", "text", None if parts else "nothing counted", parts=tuple(parts))


def _io_priority(kernel: Kernel, task: int, row: Spent) -> Iterator[Fact]:
    if not row.io_context:
        return
    at = row.io_context + kernel.types.member("io_context", "ioprio").offset
    raw = int.from_bytes(kernel.memory.read(at, 2), kernel.arch.byteorder)
    kind = IOPRIO.get(raw >> IOPRIO_SHIFT, f"class {raw >> IOPRIO_SHIFT}")
    if raw >> IOPRIO_SHIFT:
        yield Fact("io_priority", "I/O priority", "text", f"{kind}, {raw & 7}" if kind != "idle" else kind)


def _tracing(kernel: Kernel, task: int, row: Spent) -> Iterator[Fact]:
    """Who traces it, and whom it traces."""
    tasks = kernel.cached(task_structs)
    if row.ptrace & PT_PTRACED:
        tracer = tasks.get(row.parent)
        pid = tracer.pid if tracer is not None else None
        yield Fact("traced_by", "Traced by", "int", pid, Link("task", pid) if pid else None)
    entry = kernel.types.member("task_struct", "ptrace_entry").offset
    traced = [tasks.get(one) for one in for_each_list(kernel.memory, row.ptraced, entry, None, MAX_TRACED)]
    if traced:
        pids = tuple(str(one.pid) if one is not None else "?" for one in traced)
        yield Fact("traces", "Traces", "list", pids)
