"""A CPU or a task held up RCU's grace period, and panic_on_rcu_stall is set. Follows kernel/rcu/tree_stall.h.

The detector names CPUs (`1-....:`), tasks that were preempted or sleep within a reading section (`P231`), or says that
RCU's own thread did not get to run: then no CPU that it lists as idle is to blame.
"""

from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.lazy_re import lazy_re
from oopscope.linux.task_state import called
from oopscope.stacks.standing import interrupted_in
from oopscope.stacks.tasks import stack
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict

STALLED = lazy_re(
    r"(?:rcu:)?\s+(?P<cpu>\d{1,18})-[.!oO?N]\S*:? \((?P<ticks>[^)]*)\).*?idle=[0-9a-f]+/(?P<busy>[0-9a-f]+)/"
)
SHORT = lazy_re(r"(?:rcu:)?\s+(?P<cpu>\d{1,18})-[.!oO?N]")
BLOCKED = lazy_re(r"\bP(?P<pid>\d{1,18})\b")
STARVED = lazy_re(
    r"(?:rcu: )?rcu_\w+ kthread (?:starved for|timer wakeup didn't happen for) (?P<jiffies>\d+) jiffies"
    r".*?->cpu=(?P<cpu>\d{1,18})"
)
STEPS = (
    "See what the stalled CPU or task runs: a loop without a reschedule, interrupts off, a reader that sleeps.",
    "Compare with the other CPUs' stacks.",
)


class Stuck(NamedTuple):
    """What held RCU up: whose it is, in words, its stack's frame, and CPU, PID and name."""

    words: str
    frame: Frame | None
    whom: tuple[int | None, int | None, str | None]


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not death.hung("rcu-stall", r"^\s*RCU Stall\s*$"):
        return None
    said = death.said(r"(?:rcu: )?INFO: (\S+) (?:self-)?detected")
    evidence = [death.from_log(said[0])] if said else []
    stuck = _starved(death) or _busy(death) or _task(death) or _cpu(death)
    if stuck.whom[0] is not None or stuck.frame is not None:
        key, address = (
            str(stuck.whom[0] if stuck.whom[0] is not None else ""),
            stuck.frame.address if stuck.frame else 0,
        )
        evidence.append(Evidence(f"{stuck.words} is what stalled", Source("frame", key, address or None)))
    return death.verdict(
        "hang",
        "rcu-stall",
        "RCU stall",
        f"RCU waited too long: {stuck.words} held it up{death.fatal_by('panic_on_rcu_stall')}.",
        "certain" if stuck.frame else "likely",
        evidence,
        STEPS,
        culprit=stuck.frame,
        blame=False,
        whom=stuck.whom,
    )


def _texts(death: Death) -> list[str]:
    return death.cause.lines if death.cause else []


def _starved(death: Death) -> Stuck | None:
    """Return RCU's own thread, where it could not run and no CPU is listed that was busy in the kernel."""
    found = next(
        (m for r in death.log.reports if r.kind == "rcu-stall" for t in r.lines if (m := STARVED.match(t))), None
    )
    busy = any(m["busy"] != "0" for text in _texts(death) if (m := STALLED.match(text)))
    if found is None or busy or any(BLOCKED.search(text) for text in _texts(death)):
        return None
    cpu = int(found["cpu"])
    frame = death.beyond_locks(death.frames_on(cpu))
    words = f"its own thread, which did not get to run on CPU {cpu} for {found['jiffies']} jiffies,"
    return Stuck(words, frame, (cpu, *death.task_on(cpu)))


def _busy(death: Death) -> Stuck | None:
    """Return a CPU that is listed, where it was not idle."""
    busy = any(m["busy"] != "0" for text in _texts(death) if (m := STALLED.match(text)))
    return _cpu(death) if busy else None


def _task(death: Death) -> Stuck | None:
    """Return the task that sleeps or was preempted within a reading section."""
    pid = next(
        (int(m["pid"]) for text in _texts(death) if "(" in text or "P" in text if (m := BLOCKED.search(text))), None
    )
    if pid is None:
        return None
    task = next((t for t in death.tasks if t.pid == pid), None)
    frames: tuple[Frame, ...] = ()
    if task is not None:
        try:
            frames = stack(death.kernel, task.address)
        except OopscopeError:
            frames = ()
    shown = [r for r in death.log.reports if r.kind == "backtrace" and f"pid:{pid}" in r.title.replace(" ", "")]
    frames = frames or (shown[-1].frames if shown else ())
    sure = [f for f in frames if f.reliable] or list(frames)
    frame = next((f for f in sure if f.symbol and f.module), None) or death.beyond_locks(sure)
    comm = task.comm if task else None
    where = f" in {frame}" if frame else ""
    words = f"{called(pid, comm)}, which was preempted or sleeps while it reads{where},"
    return Stuck(words, frame, (task.cpu if task else None, pid, comm))


def _cpu(death: Death) -> Stuck:
    """Return the CPU that did not come to rest: the first that the detector lists, else the one that panicked."""
    listed = next((int(m["cpu"]) for text in _texts(death) if (m := SHORT.match(text))), None)
    if listed is None or listed == death.panicked_on:
        own = death.cause.pc if death.cause is not None else None
        frame, place = death.blame_stuck(death.interrupted or own)
        return Stuck(place if frame else "a CPU", frame, death.whom)
    frames = death.frames_on(listed)
    frame, _ = death.blame_stuck(interrupted_in(frames) or death.beyond_locks(frames), frames)
    where = f" in {frame}" if frame else ", whose stack is not there,"
    return Stuck(f"CPU {listed}{where}", frame, (listed, *death.task_on(listed)))
