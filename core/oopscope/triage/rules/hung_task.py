"""Tasks were blocked for too long, and hung_task_panic is set. Follows kernel/hung_task.c."""

from oopscope.stacks.tasks import Task
from oopscope.triage import told_blocked
from oopscope.triage.blocked import blamed, detector_fired, held_by, lock_words, named, sleep_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding, Verdict
from oopscope.waits.locks import Wait, chain

MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words; the tasks are those that the detector named last."""
    if not detector_fired(death):
        return None
    if not death.tasks:
        return told_blocked.verdict(death)
    told = list(named(death))
    evidence = [death.from_log(line) for line, _pid in told[-MAX_SHOWN:]]
    pids = {pid for _line, pid in told}
    tasks = [t for t in death.tasks if t.pid in pids] or [t for t in death.tasks if t.state == "D"]
    first = max(tasks, key=lambda t: t.since_last_run_seconds or 0, default=None)
    locked = waits(death)
    frozen = _frozen(death, locked, {t.address for t in tasks})
    evidence += [piece for one in frozen for piece in one.evidence[:2]]
    why = f"; {frozen[0].text}" if frozen else _holder(first, locked, {t.address: t for t in death.tasks})
    by_address = {t.address: t for t in death.tasks}
    evidence += [sleep_evidence(t, locked.get(t.address), by_address) for t in tasks[:MAX_SHOWN]]
    who = first.who if first else "a task"
    culprit = blamed(death, first.address if first else None)
    place = culprit.symbol if culprit else first.wait if first else None
    where = f" in {place}" if place else ""
    others = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    return death.verdict(
        "hang",
        "hung-task",
        "Tasks blocked for too long",
        f"{who}{others} waited{where} without end{why}, and hung_task_panic is set.",
        "certain",
        evidence,
        (
            "Look at the stacks of the blocked tasks: what does the longest blocked one wait for, and who holds it?",
            "Tasks that wait for I/O point at the storage; tasks that wait for a lock at its holder.",
        ),
        culprit=culprit,
        task=first,
    )


def _frozen(death: Death, locked: dict[int, Wait], tasks: set[int]) -> list[Finding]:
    """Return the frozen file systems behind which one of the tasks waits."""
    mine = {wait.pid for address, wait in locked.items() if address in tasks}
    told = [one for one in death.findings if one.id == "frozen-filesystem"]
    return [one for one in told if any(e.source.kind == "task" and int(e.source.key) in mine for e in one.evidence)]


def _holder(task: Task | None, locked: dict[int, Wait], tasks: dict[int, Task]) -> str:
    """Return in words the lock at the end of what a task waits for, and who holds it; or what others wait for of it."""
    if task is None:
        return ""
    found, _ = chain(locked, task.address)
    last = tasks.get(found[-1].holder or 0) if found else None
    if last is not None:
        return f" for the {lock_words(found[-1])} that {last.who} holds"
    if found:
        return f" for the {lock_words(found[-1])}, {held_by(found[-1])}"
    others = [wait for wait in locked.values() if wait.holder == task.address]
    return f", {task.who} holding the {lock_words(others[0])} that others wait for" if others else ""
