"""What the kernel's detectors of hangs said, with the CPUs and tasks that they name, where it was not died of."""

from collections.abc import Iterator

from oopscope.klog.report import Report
from oopscope.klog.wordings import Kind
from oopscope.lazy_re import lazy_re
from oopscope.linux.task_state import called
from oopscope.triage.death import Death
from oopscope.triage.finding import Finding
from oopscope.triage.findings.of_log import age, besides, by_rows

MAX_SHOWN = 8
KINDS: tuple[Kind, ...] = ("soft-lockup", "hard-lockup", "rcu-stall", "hung-task", "workqueue-lockup")
STALLED = lazy_re(r"(?:rcu:)?\s+(?P<cpu>\d{1,18})-[.!oO?N]")
STALLED_TASKS = lazy_re(r"(?:rcu:)?\s+Tasks blocked on .*?: (?P<tasks>.+)")
BLOCKED = lazy_re(r"INFO: task (?P<comm>.{1,64}):(?P<pid>\d{1,18}) .*?(?P<seconds>\d{1,18}) seconds")
STUCK = lazy_re(r".*CPU#(?P<cpu>\d{1,18}) stuck for (?P<seconds>\d{1,18})s! \[(?P<comm>.*):(?P<pid>\d{1,18})\]")
POOL = lazy_re(r"BUG: workqueue lockup - pool (?P<pool>.*) stuck for (?P<seconds>\d{1,18})s")


def find(death: Death) -> Iterator[Finding]:
    """Yield a finding for each thing that a detector named, by its last word; the first is its age."""
    groups: dict[tuple[str, str], list[Report]] = {}
    for report in besides(death, *KINDS):
        groups.setdefault((report.kind, _of(report)), []).append(report)
    shown = sorted(groups.values(), key=lambda reports: -reports[-1].number)[:MAX_SHOWN]
    for reports in shown:
        last = reports[-1]
        times = f", said {len(reports)} times" if len(reports) > 1 else ""
        yield Finding(
            last.kind, "error", f"{words(death, last)}{times}", age(death, reports[0].ns),
            by_rows(death, [r.row for r in reports]),
        )  # fmt: skip


def _of(report: Report) -> str:
    return f"{report.cpu}" if report.kind in ("soft-lockup", "hard-lockup") else f"{report.pid}" if report.pid else ""


def words(death: Death, report: Report) -> str:
    """Return what a detector said, in a clause."""
    told = {"soft-lockup": _soft, "hung-task": _hung, "workqueue-lockup": _pool}.get(report.kind)
    said = told(report) if told else None
    if report.kind == "rcu-stall":
        return _rcu(death, report)
    if report.kind == "hard-lockup":
        cpu = f"CPU {report.cpu}" if report.cpu is not None else "a CPU"
        return f"{cpu} ran with interrupts off for too long, as the hard lockup detector said"
    return said or f"the kernel said: {report.title}"


def _soft(report: Report) -> str | None:
    found = STUCK.match(report.title)
    if found is None:
        return None
    who = called(int(found["pid"]), found["comm"])
    return f"CPU {found['cpu']} was stuck for {found['seconds']} s{_in(report)}, run by {who} (soft lockup)"


def _in(report: Report) -> str:
    frame = next((f for f in report.frames if f.symbol), None)
    return f" in {frame}" if frame is not None else ""


def _hung(report: Report) -> str | None:
    found = BLOCKED.match(report.title)
    return (
        f"{called(int(found['pid']), found['comm'])} was blocked for more than {found['seconds']} s" if found else None
    )


def _pool(report: Report) -> str | None:
    found = POOL.match(report.title)
    return (
        f"work did not progress for {found['seconds']} s (workqueue lockup, pool {found['pool'].strip()})"
        if found
        else None
    )


def _rcu(death: Death, report: Report) -> str:
    """RCU names CPUs, and tasks; what such a CPU ran the backtraces behind the stall say."""
    cpus = [int(m["cpu"]) for text in report.lines if (m := STALLED.match(text))]
    tasks = [m["tasks"].strip() for text in report.lines if (m := STALLED_TASKS.match(text))]
    if not cpus and not tasks:
        return f"RCU's grace period did not end: {report.title}"
    named = [_cpu(death, report, cpu) for cpu in cpus[:4]] + [f"tasks {said}" for said in tasks[:2]]
    return f"RCU waited too long for {', '.join(named)} (RCU stall)"


def _cpu(death: Death, stall: Report, cpu: int) -> str:
    own = stall if stall.cpu == cpu and stall.frames else None
    later = (r for r in death.log.reports[stall.number + 1 :] if r.kind == "backtrace" and r.cpu == cpu)
    seen = own or next(later, None)
    if seen is None or not seen.frames:
        return f"CPU {cpu}"
    who = f", run by {called(seen.pid, seen.comm)}" if seen.comm else ""
    return f"CPU {cpu}{_in(seen)}{who}"
