"""Tasks that blocked too long, for the rules: whom the detector named, what each waits for, whom to blame.

Follows kernel/hung_task.c.
"""

from collections.abc import Iterator, Sequence

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import is_waiting
from oopscope.lazy_re import lazy_re
from oopscope.linux.task_state import called
from oopscope.stacks.tasks import Task, stack
from oopscope.triage.death import Death, Line
from oopscope.triage.finding import Evidence, Source
from oopscope.waits.locks import Wait, all_locks

INFO = lazy_re(r"INFO: task .+:(\d{1,18}) (?:is )?blocked (?:in I/O wait )?for more than \d+ seconds")
# What a blocked task's stack begins with: the scheduler, and how it came to wait.
WAITING = lazy_re(r"_*(schedule|mutex|rwsem|down_|wait_|rt_mutex|io_|bit_wait|percpu_rwsem|folio_wait|preempt_)")


MAX_SHOWN = 8


def detector_fired(death: Death) -> bool:
    """Return whether the machine died because tasks were blocked for too long."""
    return death.hung("hung-task", r"hung_task: blocked tasks")  # of an oops that killed a task it is a consequence


def named(death: Death) -> Iterator[tuple[Line, int]]:
    """Yield the lines in which the detector names a blocked task, and its PID."""
    for report in death.log.reports:
        found = INFO.match(report.title) if report.kind == "hung-task" and report.boot == death.boot else None
        if found and report.row <= death.last_row:
            yield death.lines[report.row], int(found[1])


def blamed(death: Death, address: int | None) -> Frame | None:
    """Return a blocked task's first frame in a module, else the first beyond the scheduler and the locks."""
    frames = [f for f in (stack(death.kernel, address) if address else ()) if f.symbol and f.kind != "user"]
    in_module = next((f for f in frames if f.module), None)
    return in_module or next(
        (f for f in frames if not is_waiting(f.symbol) and not WAITING.match(f.symbol or "")), None
    )


def waits(death: Death) -> dict[int, Wait]:
    """Return what blocked tasks wait for, by the task's address; empty where it cannot be read."""
    try:
        return {wait.task: wait for wait in all_locks(death.kernel)}
    except OopscopeError as e:
        death.kernel.problems.lost("locks")(e)
        return {}


def lock_words(wait: Wait) -> str:
    """Return a lock in words: `mutex lab_b+0x8 [labcrash]`."""
    return f"{wait.kind} {wait.name or f'{wait.lock:#x}'}"


def wait_evidence(wait: Wait, holder: Task | None) -> Evidence:
    """Return as evidence what a task waits for, who holds it, and what that one does."""
    text = f"{called(wait.pid, wait.comm)} waits for the {lock_words(wait)}, {held_by(wait)}"
    if holder is not None and wait.owner == holder.address != wait.task:
        text += does(holder)
    return Evidence(text, Source("task", str(wait.pid), wait.task))


def story(circle: Sequence[Wait]) -> str:
    """Return a circle of waits in words: who waits for what, each held by the next."""
    words = [f"{called(wait.pid, wait.comm)} waits for the {lock_words(wait)}" for wait in circle[:MAX_SHOWN]]
    return f"{', '.join(words)}, each held by the next and the last by the first"


def held_by(wait: Wait) -> str:
    """Return in words who holds a lock, as far as it is recorded."""
    if wait.owner == wait.task:
        return "which by its record it holds itself: taken twice, or left by a task that ended and whose memory it got"
    if wait.ended:
        return "held by no living task: its owner has ended"
    if wait.owner_pid is None:
        return "held by readers, which are not recorded" if wait.readers else "held by whom is not recorded"
    owner = called(wait.owner_pid, wait.owner_comm)
    if wait.kind == "percpu_rw_semaphore":
        return f"behind the writer {owner}"
    if not wait.readers:
        return f"held by {owner}"
    count = wait.reader_count
    return (
        f"held by the reader {owner}" if count == 1 else f"held by {count or 'some'} readers, the last to come {owner}"
    )


def does(task: Task) -> str:
    """Return in words what a holder does: runs, sleeps, has ended."""
    if task.state == "R":
        return f", which runs on CPU {task.cpu}" if not task.since_last_run_seconds else ", which is ready to run"
    return f", which sleeps in {task.wait}" if task.wait else ""


def sleep_evidence(task: Task, wait: Wait | None, tasks: dict[int, Task]) -> Evidence:
    """Return as evidence what a blocked task waits for: a lock and its holder, or the place where it sleeps."""
    if wait is not None:
        return wait_evidence(wait, tasks.get(wait.owner or 0))
    place = task.wait or "an unknown place"
    return Evidence(f"{task.who} is blocked in {place}", Source("task", str(task.pid), task.address))
