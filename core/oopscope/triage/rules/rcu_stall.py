"""A CPU or a task held up RCU's grace period, and panic_on_rcu_stall is set. Follows kernel/rcu/tree_stall.h."""

import re

from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.stacks.tasks import Task
from oopscope.triage.blocked import blamed
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict

READER = re.compile(r"^(?:rcu:)?\s+Tasks blocked on .*?: P(\d+)")
STALLED = re.compile(r"^(?:rcu:)?\s+(\d+)-[.!oO?N]")


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if death.oops is not None or (death.panic_message or "").strip() != "RCU Stall":
        return None
    said = death.said(r"(?:rcu: )?INFO: (\S+) (?:self-)?detected")
    evidence = [death.from_log(said[0])] if said else []
    cpu = _stalled(death)
    task = _reader(death) if cpu is None else None
    if task is not None:
        return _by_task(death, task, evidence)
    if cpu is None or cpu == death.cpu:
        frame, place = death.blame_stuck(death.interrupted)
    else:
        frame = death.beyond_locks(cpu.frames)
        place = f"CPU {cpu.cpu} in {frame}" if frame else f"CPU {cpu.cpu}, whose stack is not in the dump"
        text = f"CPU {cpu.cpu} is the one that stalled; it ran {cpu.who} in {frame or 'an unknown place'}"
        evidence.append(Evidence(text, Source("frame", str(cpu.cpu), frame.address if frame else None)))
    return death.verdict(
        "hang",
        "rcu-stall",
        "RCU stall",
        f"RCU waited too long for a CPU that did not come to rest: {place}, and panic_on_rcu_stall is set.",
        "certain",
        evidence,
        (
            "See what the stalled CPU runs: a loop without a reschedule, or interrupts off.",
            "Compare with the other CPUs' stacks.",
        ),
        culprit=frame,
        on=cpu,
    )


def _by_task(death: Death, task: Task, evidence: list[Evidence]) -> Verdict:
    """Say that a task within a read-side section held RCU up: it was preempted there, or sleeps."""
    frame = blamed(death, task.address)
    how = "sleeps" if task.state in ("D", "S") else "was preempted"
    place = f" in {frame}" if frame is not None else ""
    text = f"{task.who} {how}{place} within a section in which it reads under RCU"
    return death.verdict(
        "hang",
        "rcu-stall",
        "RCU stall",
        f"RCU waited too long for a task: {text}, and panic_on_rcu_stall is set.",
        "certain",
        [*evidence, Evidence(text, Source("task", str(task.pid), task.address))],
        ("A task must not sleep between rcu_read_lock() and rcu_read_unlock(): see its stack.",),
        culprit=frame,
        task=task,
        blame=False,
    )


def _reader(death: Death) -> Task | None:
    """Return the first task that the detector lists as blocking the grace period (P240)."""
    for text in death.cause.lines if death.cause else ():
        found = READER.match(text)
        if found:
            return next((t for t in death.tasks if t.pid == int(found[1])), None)
    return None


def _stalled(death: Death) -> Cpu | None:
    """The first CPU that the detector lists as stalled."""
    for text in death.cause.lines if death.cause else ():
        found = STALLED.match(text)
        if found:
            return next((c for c in all_cpus(death.kernel) if c.cpu == int(found[1])), None)
    return None
