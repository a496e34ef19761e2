"""CPUs that stood in kernel code without taking a tick: interrupts off, or not run by their host.

A run queue's clock goes on with each tick of a CPU that is not idle. Where it lags behind the others' while its CPU
runs a task, that CPU took no interrupt all the while; its saved flags, or that only an NMI could stop it, say why.
Where others woke tasks for it that clock was brought up to date; then its tick, long due, tells.
Follows kernel/sched/core.c (update_rq_clock) and arch/x86/kernel/smp.c (native_stop_other_cpus).
"""

from collections.abc import Callable, Iterator, Mapping

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import calls_cpus, entry_kind, is_dying, is_waiting
from oopscope.lazy_re import lazy_re
from oopscope.linux.sched import runqueues
from oopscope.linux.task import PF_KTHREAD, task_structs
from oopscope.linux.tick import ticks_due
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.stacks.standing import interrupted_in
from oopscope.triage.behind import spun_for
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding, Source
from oopscope.triage.findings.of_log import by_table

LAG_NS = 2_000_000_000
BUSY_NS = 5_000_000_000
IF = 0x200  # interrupts are on, in the flags of x86
STOPPED = lazy_re(
    r"stop_this_cpu|_*sysvec_(reboot|reschedule)|smp_stop|crash_|ipi_cpu_|local_cpu_stop|cpu_park|machine_"
)
MAX_SAID = 4  # CPUs of a text
BY_NMI = ("smp_stop_nmi_callback", "crash_nmi_callback", "kdump_nmi_callback")


def find(death: Death) -> Iterator[Finding]:
    """Yield each CPU that lags behind the end and was not idle."""
    end = death.last_ns
    if death.only_log or end is None:
        return
    deaf = _deaf_machine(death)
    if deaf is not None:
        yield deaf
        return
    waiting = {queue.cpu: queue.nr_running for queue in death.kernel.cached(runqueues)}
    clocks = {queue.cpu: queue.clock for queue in death.kernel.cached(runqueues)}
    for cpu in all_cpus(death.kernel):
        lag = _lag(death, cpu.cpu, clocks)
        if cpu.state in ("panic", "user", None) or (cpu.state == "idle" and _handler(cpu) is None):
            continue
        if lag >= LAG_NS:
            yield _finding(death, cpu, lag / 1e9)
        elif (since := _runs_since(death, cpu)) is not None and end - since >= BUSY_NS:
            yield _busy(death, cpu, (end - since) / 1e9, waiting[cpu.cpu] > 1)


def _deaf_machine(death: Death) -> Finding | None:
    """Return as a finding that no CPU takes interrupts: then no clock goes on, and none lags behind another.

    Of one CPU that may be chance, and is only a warning; of several, none of which is idle, it is none.
    """
    cpus = [c for c in all_cpus(death.kernel) if c.online is not False]
    if death.panic is not None or not cpus or not all(_deaf(c) for c in cpus):
        return None
    waits = [c for c in cpus if calls_cpus(c.frames[0].symbol if c.frames else None)]
    stand = [c for c in cpus if c not in waits] or cpus
    words = [f"CPU {c.cpu} stands{f' in {f}' if (f := standing(c)) else ''}, run by {c.who}" for c in stand[:MAX_SAID]]
    text = f"no CPU takes interrupts: {', '.join(words)}"
    if waits and stand != cpus:
        text += f", and {'the other waits' if len(waits) == 1 else 'the others wait'} for all CPUs to come"
    evidence = [Evidence(f"CPU {c.cpu} has interrupts off", Source("register", "eflags")) for c in cpus[:MAX_SAID]]
    several = len(cpus) > 1
    return Finding(
        "stuck-cpu" if several else "busy-cpu", "error" if several else "warning", text, 0.0, tuple(evidence)
    )


def _deaf(cpu: Cpu) -> bool:
    return cpu.state == "running" and (flags := _flags(cpu)) is not None and not flags & IF


def _flags(cpu: Cpu) -> int | None:
    return (cpu.registers or {}).get("eflags", (cpu.registers or {}).get("rflags"))


def silent(death: Death) -> Cpu | None:
    """Return the only CPU that took no tick and was not idle: who waits for an answer of all CPUs waits for it."""
    return _only(death, lambda cpu, lag: lag >= LAG_NS)


def busy(death: Death) -> Cpu | None:
    """Return the only CPU that took no tick, or has run one kernel thread all the while, and spins for no lock."""
    end = death.last_ns or 0
    return _only(
        death,
        lambda cpu, lag: _lock(cpu) is None and (lag >= LAG_NS or end - (_runs_since(death, cpu) or end) >= BUSY_NS),
    )


def _only(death: Death, is_one: Callable[[Cpu, int], bool]) -> Cpu | None:
    """Return the only CPU beside the panicking one, idle ones and programs of which something is so."""
    end = death.last_ns
    if death.only_log or end is None:
        return None
    clocks = {queue.cpu: queue.clock for queue in death.kernel.cached(runqueues)}
    others = [c for c in all_cpus(death.kernel) if c.state not in ("idle", "panic", "user", None)]
    found = [c for c in others if is_one(c, _lag(death, c.cpu, clocks))]
    return found[0] if len(found) == 1 else None


def _lag(death: Death, cpu: int, clocks: Mapping[int, int]) -> int:
    """Return for how many ns a CPU has taken no tick, by its run queue's clock or by when its tick was due."""
    end = death.last_ns or 0
    due = death.kernel.cached(ticks_due).get(cpu, end)
    return max(end - (clocks.get(cpu) or end), end - due, 0)


def _finding(death: Death, cpu: Cpu, lag: float) -> Finding:
    frame, why = standing(cpu), _why(cpu)
    where = f" in {frame}" if frame is not None else ""
    waits = _lock(cpu)
    words = spun_for(death, cpu.task).rstrip(",") if waits is not None else ""
    lock = f", which waits for {words or f'a lock in {waits.symbol}'}" if waits is not None else ""
    by = f"run by {cpu.who}" if _handler(cpu) is None else f"in an interrupt; {cpu.who} was only interrupted"
    text = f"CPU {cpu.cpu} took no tick for {lag:.1f} s: it stands{where}{lock}, {by}{why}"
    evidence = [
        by_table(
            f"the run queue and the tick of CPU {cpu.cpu} tell that it took none for {lag:.1f} s", f"cpus:{cpu.cpu}"
        )
    ]
    if frame is not None:
        evidence.append(
            Evidence(f"CPU {cpu.cpu} stood in {frame}", Source("frame", str(cpu.cpu), frame.address or None))
        )
    return Finding("stuck-cpu", "error", text, round(lag, 3), tuple(evidence))


def _runs_since(death: Death, cpu: Cpu) -> int | None:
    """Return since when a CPU has run its kernel thread without a switch; a program may have come in just now."""
    task = death.kernel.cached(task_structs).get(cpu.task or 0)
    return task.last_arrival if task is not None and task.flags & PF_KTHREAD and task.last_arrival else None


def _busy(death: Death, cpu: Cpu, since: float, others: bool) -> Finding:
    frame, lock = standing(cpu), spun_for(death, cpu.task).rstrip(",") if _lock(cpu) is not None else ""
    where = f" in {frame}" if frame is not None else ""
    where += f", where it waits for {lock}" if lock else ""
    text = f"CPU {cpu.cpu} has run the kernel thread {cpu.who} for {since:.1f} s without a switch{where}"
    text += ", while others wait for that CPU" if others else ""
    evidence = (Evidence(f"CPU {cpu.cpu} stood{where or ' in an unknown place'}", Source("frame", str(cpu.cpu))),)
    return Finding("busy-cpu", "warning" if others else "note", text, round(since, 3), evidence)


def standing(cpu: Cpu) -> Frame | None:
    """Return the kernel function in which a CPU stood: beyond what stopped it and a lock's own code."""
    handler = _handler(cpu)
    if handler is not None:
        return handler
    frames = list(cpu.frames)
    inside = interrupted_in(frames)
    begin = frames.index(inside) if inside is not None else 0
    named = (f for f in frames[begin:] if f.symbol and f.kind != "user")
    return next((f for f in named if not is_dying(f.symbol) and not is_waiting(f.symbol)), inside)


def _handler(cpu: Cpu) -> Frame | None:
    """Return where a CPU stands in an interrupt's handler that nothing has stopped; None where it is in none."""
    found = None
    for frame in cpu.frames:
        kind = entry_kind(frame.symbol)
        if kind is not None or frame.kind not in ("irq", "softirq"):
            return found if kind == "irq" or (kind is None and frame.kind == "task") else None
        if is_dying(frame.symbol) or STOPPED.match(frame.symbol or ""):
            return None
        found = found or (frame if frame.symbol and not is_waiting(frame.symbol) else None)
    return None


def _lock(cpu: Cpu) -> Frame | None:
    """The lock's function that a CPU spins in, where it does."""
    inside = interrupted_in(cpu.frames) or next((f for f in cpu.frames if f.symbol), None)
    return inside if inside is not None and is_waiting(inside.symbol) else None


def _why(cpu: Cpu) -> str:
    """Say how it is known that interrupts were off; nothing where it is not."""
    if any(f.symbol in BY_NMI for f in cpu.frames):
        return (
            ""
            if any(f.symbol == "crash_nmi_callback" for f in cpu.frames)
            else ", with interrupts off: only an NMI stopped it"
        )
    flags = _flags(cpu)
    if flags is not None and not flags & IF and not any(is_dying(f.symbol) for f in cpu.frames[:1]):
        return ", with interrupts off"
    return ""
