"""Blocked tasks wait for each other's locks in a circle, and hung_task_panic is set. Follows kernel/hung_task.c."""

from oopscope.linux.task_state import called
from oopscope.triage.blocked import blamed, detector_fired, lock_words, named, wait_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict
from oopscope.waits.locks import Wait, chain

MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire where the detector of blocked tasks did, and the owners of the locks they wait for close a circle."""
    if not detector_fired(death):
        return None
    circle = _circle(death)
    if not circle:
        return None
    lines = [death.from_log(line) for line, pid in named(death) if pid in {wait.pid for wait in circle}]
    first = next((t for t in death.tasks if t.address == circle[0].task), None)
    return death.verdict(
        "hang",
        "deadlock",
        "Deadlock: tasks wait for each other's locks" if len(circle) > 1 else "Deadlock: a task waits for its own lock",
        f"{_story(circle)}, and hung_task_panic is set.",
        "certain",
        [*lines[-MAX_SHOWN:], *(wait_evidence(wait, None) for wait in circle[:MAX_SHOWN])],
        (
            "Look at the stacks of these tasks: each shows where one lock is taken while the other is held.",
            "Take the locks in one order everywhere; a kernel with CONFIG_PROVE_LOCKING names the broken order.",
        ),
        culprit=blamed(death, circle[0].task),
        task=first,
    )


def _circle(death: Death) -> list[Wait]:
    """Return the waits that close a circle, beginning with the task that has waited longest; empty without one."""
    found = waits(death)
    since = {t.address: t.since_last_run_seconds or 0 for t in death.tasks}
    for task in sorted(found, key=lambda address: -since.get(address, 0)):
        ring, closed = chain(found, task)
        if closed:
            return ring
    return []


def _story(circle: list[Wait]) -> str:
    if len(circle) == 1:
        return f"{called(circle[0].pid, circle[0].comm)} waits for the {lock_words(circle[0])}, which it holds itself"
    words = [f"{called(wait.pid, wait.comm)} waits for the {lock_words(wait)}" for wait in circle[:MAX_SHOWN]]
    return f"{', '.join(words)}, each held by the next and the last by the first"
