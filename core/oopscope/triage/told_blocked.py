"""Blocked tasks as a log alone tells of them: whom the detector named, and what each one's stack says it waits for.

Follows kernel/hung_task.c and kernel/sched/core.c (sched_show_task). Who holds a lock a log does not say, but where the
kernel does itself (`blocked on a mutex likely owned by task`, 6.16).
"""

from typing import NamedTuple

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import first_not, is_dying, is_waiting
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.linux.task_state import called
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding, Verdict
from oopscope.triage.findings.storage import failed_disks, find

MAX_SHOWN = 8
SECONDS = lazy_re(r"for more than (?P<seconds>\d{1,18}) seconds")
OWNER = lazy_re(
    r"^INFO: task (?P<comm>.+):(?P<pid>\d{1,18}) (?:is )?blocked on an? (?P<lock>\S+).* "
    r"owned by (?:task )?(?P<owner>.+):(?P<by>\d{1,18})"
)
# Locks that a circle can be of: readers and those at a semaphore pile up behind one who is not there.
SLEEPING_LOCK = lazy_re(r"_*(mutex_lock|rt_mutex|rwsem_down_write|down_write|ww_mutex|rwbase_write)\w*")
NFS = ("sunrpc", "nfs", "nfsv3", "nfsv4", "lockd")
# Kernel threads whose names are cut at 15 characters, and what they are.
CUT_NAMES = {
    "spl_dynamic_tas": "spl_dynamic_taskq, a task queue of OpenZFS",
    "spl_system_task": "spl_system_taskq, a task queue of OpenZFS",
    "spl_delay_taskq": "a task queue of OpenZFS",
    "txg_sync": "OpenZFS writing a transaction group",
    "xfsaild": "XFS writing back its log items",
}


class Told(NamedTuple):
    """A blocked task that the detector named."""

    report: Report
    pid: int | None
    comm: str | None
    frames: tuple[Frame, ...]

    @property
    def who(self) -> str:
        """The task in words, with what it is where its name is cut."""
        known = next((text for name, text in CUT_NAMES.items() if (self.comm or "").startswith(name)), None)
        return called(self.pid, self.comm) + (f" ({known})" if known else "")

    @property
    def culprit(self) -> Frame | None:
        """Its first frame in a module, else the first that is not the scheduler's or a lock's."""
        sure = [f for f in self.frames if f.reliable] or list(self.frames)
        return next((f for f in sure if f.module and f.symbol), None) or first_not(sure, is_waiting, is_dying)

    @property
    def for_io(self) -> bool:
        """Whether it waits for I/O, as the scheduler counts it (io_schedule)."""
        return any((f.symbol or "").startswith(("io_schedule", "bit_wait_io")) for f in self.frames)

    @property
    def for_nfs(self) -> bool:
        """Whether it waits within NFS or its RPC."""
        return any(f.module in NFS for f in self.frames)

    @property
    def lock(self) -> str | None:
        """The function by which it waits for a sleeping lock that it is to own; None where it waits otherwise."""
        inside = [f.symbol or "" for f in self.frames if is_waiting(f.symbol)]
        return next((name for name in inside if SLEEPING_LOCK.match(name)), None)


def blocked(death: Death) -> list[Told]:
    """Return the tasks that the detector named before the panic, each once, with the stack that it shows of them."""
    found: dict[int | None, Told] = {}
    reports = death.log.reports
    for at, report in enumerate(reports):
        if report.kind != "hung-task" or report.boot != death.boot or report.row > death.last_row:
            continue
        following = reports[at + 1] if at + 1 < len(reports) else None
        shown = following if following is not None and following.kind in ("backtrace", "stack") else report
        frames = report.frames or (shown.frames if shown.title.startswith(("task:", "Call Trace")) else ())
        known = found[report.pid].frames if report.pid in found else ()
        if len(known) > 2 * len(frames):  # shown less of, or cut off: who likely owns its lock is told without a stack
            frames = known if frames else ()
        if frames or report.pid not in found:
            found[report.pid] = Told(report, report.pid, report.comm, frames)
    return list(found.values())


def verdict(death: Death) -> Verdict:
    """Return the verdict of a death by blocked tasks: a deadlock where all say so, and only as a possibility."""
    tasks = blocked(death)
    evidence = [death.from_log(death.lines[t.report.row]) for t in tasks[:MAX_SHOWN]]
    owners = death.said(OWNER) or death.lately(OWNER)
    if owners and all(owners[0].record != death.lines[t.report.row].record for t in tasks[:MAX_SHOWN]):
        evidence.append(death.from_log(owners[0]))
    if death.panic is not None:
        evidence.append(death.from_log(death.lines[death.panic.row]))
    first = tasks[0] if tasks else None
    culprit = first.culprit if first else None
    where = f" in {culprit}" if culprit else ""
    others = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    seconds = SECONDS.search(first.report.title) if first else None
    since = f" for more than {seconds['seconds']} s" if seconds else ""
    who = f"{first.who if first else 'A task'}{others}"
    silent = failed_disks(death) if first is not None and first.for_io else []
    if silent:
        return _stalled(death, f"{who} waited{where}{since}", silent, evidence, culprit, first)
    circle = _is_circle(tasks)
    why = ", each for a lock, all at the same place: probably each for what another holds" if circle else ""
    if not circle and owners and first and int(owners[1]["pid"]) == first.pid:
        why = f" for a {owners[1]['lock']} that {called(int(owners[1]['by']), owners[1]['owner'])} likely owns"
    servers = [one for one in find(death) if "nfs: server" in one.text] if first and first.for_nfs else []
    why = why or (f"; {servers[0].text}" if servers else "")
    return death.verdict(
        "hang",
        "deadlock" if circle else "hung-task",
        "Deadlock: tasks wait for each other's locks, it seems" if circle else "Tasks blocked for too long",
        f"{who} waited{where}{since}{why}{death.fatal_by('hung_task_panic')}.",
        "possible" if circle else "certain" if culprit else "likely",
        evidence,
        (
            "Look at the stacks of the blocked tasks: what does the longest blocked one wait for, and who holds it?",
            "Tasks that wait for I/O point at the storage; tasks that wait for a lock at its holder.",
        ),
        culprit=culprit,
        blame=False,
        whom=(None, first.pid, first.comm) if first else (None, None, None),
    )


def _stalled(
    death: Death, waited: str, disks: list[Finding], evidence: list[Evidence], culprit: Frame | None, first: Told | None
) -> Verdict:
    """Return the verdict of a task that waited for I/O where the log tells that a disk did not answer before."""
    return death.verdict(
        "storage",
        "io-stall",
        "Storage does not answer",
        f"{waited} for I/O; before that {disks[0].text}{death.fatal_by('hung_task_panic')}.",
        "likely",
        [*evidence, *(piece for one in disks[:MAX_SHOWN] for piece in one.evidence[:1])],
        (
            "Look at what the disk is: its controller, its path, its host; timeouts and resets in the log.",
            "See whether the blocked task's file is on that very disk: the log does not say.",
        ),
        culprit=culprit,
        blame=False,
        whom=(None, first.pid, first.comm) if first else (None, None, None),
    )


def _is_circle(tasks: list[Told]) -> bool:
    """Tell whether a few tasks, and no others, wait for sleeping locks in the same function of a module."""
    places = {(t.culprit.symbol, t.culprit.module) if t.culprit else None for t in tasks}
    return 2 <= len(tasks) <= 4 and len(places) == 1 and None not in places and all(t.lock for t in tasks)
