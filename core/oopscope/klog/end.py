"""How a log ends: the panic that counts, the report that is its cause, and what came between them.

Only the end counts: what the machine survived is no cause. A panic line counts where panic() stands on its stack, where
a report before it explains it, or where no oops comes after it. panic() under another name (`Fatal exception`,
`panic_on_warn set`, `hung_task: blocked tasks` ...) leads back to the report that it is about, and a chain of oopses to
its first. Of several boots the last that died counts. It knows reports and no dump.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from oopscope.klog.machines import FATAL, either
from oopscope.klog.parse import Log
from oopscope.klog.report import Report
from oopscope.klog.wordings import Kind
from oopscope.lazy_re import lazy_re

MESSAGE = lazy_re(r"[Kk]ernel panic(?: - not syncing)?: ?(?P<message>.*)")
# What panic() says at the end of an oops, and of what else it is only the end.
_ALIKE = (
    r"(?:[^:]{1,60}: )?Fatal(?: exception|$)", r"Aiee, killing interrupt", r"Attempted to kill (?:the idle task|init)",
    r"Oopsed too often", r"BUG!", r"panic_on_oops", r"Oops: Fatal", r"Oops$", r".*die\(\)",
    r"bad: scheduling from the idle", r"Unable to handle", r"CFI failure", r"Uncorrected", r"kernel mode fault",
)  # fmt: skip
OF_AN_OOPS = lazy_re(either((*_ALIKE, *FATAL)))
OF_A_WARNING = lazy_re(
    r".*(?:panic_on_warn|panic_on_kmsan|kmsan\.panic set|kasan\.fault=panic|fault=panic set)|.*Warned too often"
)
OF_KINDS: tuple[tuple[re.Pattern[str], tuple[Kind, ...]], ...] = (
    (OF_AN_OOPS, ("oops", "serror")),
    (OF_A_WARNING, ("warning", "memory-error", "race", "undefined", "slab", "bad-page", "atomic",
                     "lockdep", "complaint", "oops")),
    (lazy_re(r"softlockup: hung tasks"), ("soft-lockup",)),
    (lazy_re(r".*Hard LOCKUP|.*hard lockup"), ("hard-lockup",)),
    (lazy_re(r"hung_task: blocked tasks"), ("hung-task",)),
    (lazy_re(r"RCU Stall"), ("rcu-stall",)),
    (lazy_re(r".*[Oo]ut of memory|System is deadlocked on memory"), ("oom",)),
    (lazy_re(r"workqueue lockup|.*workqueue.*stall"), ("workqueue-lockup",)),
    (lazy_re(r".*scheduling while atomic"), ("atomic",)),
    (lazy_re(r".*[Mm]achine check|Unable to continue|Timeout: Not all CPUs|Timeout synchronizing"), ("hardware",)),
    (lazy_re(r".*SError"), ("serror",)),
    (lazy_re(r"Bad page state|.*BUG_ON_DATA_CORRUPTION"), ("bad-page", "complaint")),
)  # fmt: skip
CUT_OFF = lazy_re(r"[Kk]ernel panic(?: - no?t? ?s?y?n?c?i?n?g?:?)?\s*$")
PANICS = frozenset({"panic", "vpanic", "nmi_panic", "crash_kexec", "__crash_kexec"})
CHAIN_NS = 10_000_000_000  # two oopses of a chain are not further apart
HANGS_ON_NS = 200_000_000_000
WAITS_NS = 600_000_000_000  # who waits for a thread that an assertion stopped is told of by then
AT_ONCE_NS = 1_000_000_000  # those of two tasks, of which the first was over: a serial console takes so long
HANGS = ("soft-lockup", "hard-lockup", "hung-task", "rcu-stall", "workqueue-lockup")
HUNG_FOR = lazy_re(r"(?:more than|stuck for|stuck for) (?P<seconds>\d{1,18}) ?s")
SOON_NS = 60_000_000_000  # a hang that begins so soon after an oops is its consequence
# What a log without a death may end with: the grave first, and what is only a warning.
GRAVE: frozenset[Kind] = frozenset({
    "memory-error", "slab", "bad-page", "atomic", "soft-lockup", "hard-lockup", "rcu-stall", "hung-task",
    "workqueue-lockup", "oom", "assertion", "filesystem", "serror",
})  # fmt: skip
CORRUPT: frozenset[Kind] = frozenset({"memory-error", "slab", "bad-page"})
LASTING = GRAVE - {"oom", "atomic", "assertion"}
WARNED: frozenset[Kind] = frozenset({"warning", "complaint", "race", "undefined", "lockdep"})
LAST_NS = 30_000_000_000  # the end of a log


class End(NamedTuple):
    """How the log ends."""

    panic: Report | None = None  # the panic line that counts, with its own stack
    cause: Report | None = None  # the first report of what led to the end: an oops, a lockup ...; else the panic
    chain: tuple[Report, ...] = ()  # all of it, the cause first and the panic last
    direct: Report | None = None  # the report that the panic itself is about
    lived: bool = False  # the log tells of no death: `cause` is what its last boot ended with
    past: bool = False  # such a log goes on for long after it

    @property
    def message(self) -> str | None:
        """What panic() was called with."""
        return message_of(self.panic) if self.panic else None


def lived(log: Log) -> End:
    """Return what the last boot of a log ends with, where it tells of no death; an End of nothing without such.

    It is the first of the last group of reports: a grave one, else a warning. Of a log that goes on after it only what
    is grave and does not end by itself.
    """
    boot = len(log.boots)
    last = len(log.lines) - 1
    found = [
        r for r in log.reports
        if r.boot == boot and (r.kind in GRAVE or r.kind in WARNED)
        and (r.rows != [last] or r.kind in HANGS)  # a last line may be cut off
        and (r.headings or r.rows[-1] != last or r.frames)  # a warning of which no word is left but its mark
    ]  # fmt: skip
    past = bool(found) and not _is_last(log, found[-1])
    if past:
        found = [r for r in found if r.kind in LASTING]
    if not found:
        return End()
    group = [found.pop()]
    while found and _near(found[-1], group[0], HANGS_ON_NS if _hangs_on(found[-1], group[0]) else SOON_NS):
        group.insert(0, found.pop())
    stopped = _stopped(log.reports, group[0])
    if stopped is not None:
        return End(None, stopped, (stopped,), stopped, lived=True, past=past)
    corrupt = any(r.kind in CORRUPT for r in group)  # memory that runs out corrupts nothing
    first = next((r for r in group if r.kind in GRAVE and not (corrupt and r.kind == "oom")), group[0])
    chain = tuple(group[group.index(first) :])
    return End(None, first, chain[:1], first, lived=True, past=past)


def _hangs_on(earlier: Report, later: Report) -> bool:
    """Tell whether a CPU that hangs is told of again, or others that wait for it: that is not told each minute."""
    return all(r.kind in HANGS and r.kind != "hung-task" for r in (earlier, later))


def _is_last(log: Log, report: Report) -> bool:
    """Tell whether nothing is said long after a report; where the log has no times, it is taken to be the end."""
    last = next((ns for row in range(len(log.lines) - 1, -1, -1) if (ns := log.ns(row)) is not None), None)
    return last is None or report.end_ns is None or last - report.end_ns <= LAST_NS


def message_of(panic: Report) -> str:
    """Return what panic() says in its line."""
    found = MESSAGE.match(panic.title)
    return found["message"].strip() if found else panic.title


def end_of(log: Log) -> End:
    """Return how a log ends; an End of nothing where it tells of no death."""
    for boot in range(len(log.boots), -1, -1):
        reports = [r for r in log.reports if r.boot == boot]
        found = _end(reports)
        if found.cause is not None:
            return found
    return End()


def _end(reports: Sequence[Report]) -> End:
    panic = the_panic(reports)
    if panic is None:
        last = next((r for r in reversed(reports) if r.kind == "oops"), None)
        if last is None:
            return End()
        chain = _back(reports, last)
        return End(None, chain[0], chain, last)
    direct = _about(reports, panic)
    if direct is None:
        return End(panic, panic, (panic,), None)
    chain = _back(reports, direct)
    return End(panic, chain[0], (*chain, panic), direct)


def the_panic(reports: Sequence[Report]) -> Report | None:
    """Return the first panic line that counts."""
    panics = [r for r in reports if r.kind == "panic"]
    for panic in panics:
        if _stands(panic) or _about(reports, panic) is not None:
            return panic
        later = reports[reports.index(panic) + 1 :]
        if not any(r.kind == "oops" or (r.kind == "panic" and _stands(r)) for r in later):
            return panic
    return None


def _stands(panic: Report) -> bool:
    """Tell whether panic() stands on the stack that the panic line brings."""
    return any(f.symbol and f.symbol.split(".")[0] in PANICS for f in panic.frames)


def _about(reports: Sequence[Report], panic: Report) -> Report | None:
    """Return the report that a panic is only the end of: the last of its kind before it."""
    message = message_of(panic)
    kinds = next((kinds for pattern, kinds in OF_KINDS if pattern.match(message)), ())
    if CUT_OFF.match(panic.title):
        kinds = ("oops", "serror")
    before = [r for r in reports[: reports.index(panic)] if r.kind in kinds]
    if not before and kinds == ("oops", "serror"):  # what is left of an oops whose beginning is lost
        before = [r for r in reports[: reports.index(panic)] if r.kind == "stack" and (r.ended or r.pc is not None)]
    if not before and OF_A_WARNING.match(message):
        before = [r for r in reports[: reports.index(panic)] if r.kind == "stack" and r.pc is not None]
    if not before:
        return None
    if message.startswith("Attempted to kill"):  # of that very task, and not long ago
        before = [r for r in before if r.pid in (None, 0 if "idle" in message else 1) and _near(r, panic, CHAIN_NS)]
    if kinds == ("oops", "serror") or OF_A_WARNING.match(message):
        before = [r for r in before if _near(r, panic, SOON_NS)]
    same = [r for r in before if panic.cpu is None or r.cpu in (None, panic.cpu)]
    found = same or before
    return found[-1] if found else None


def _near(earlier: Report, later: Report, most: int) -> bool:
    """Tell whether a report ends not long before another begins; where the log has no times, it does."""
    if earlier.end_ns is None or later.ns is None:
        return True
    return later.ns - earlier.end_ns <= most


def _back(reports: Sequence[Report], direct: Report) -> tuple[Report, ...]:
    """Return the chain of reports that led to one, the first first."""
    chain = [direct]
    before = [r for r in reports[: reports.index(direct)] if r.kind == "oops"]
    while before and chain[0].kind == "oops":
        last = before.pop()
        if last.die is None and not last.frames and last.number + 1 != chain[0].number:
            continue  # a line that somebody quotes
        if not _leads(last, chain[0]):
            break
        chain.insert(0, last)
    if direct.kind == "warning" and (stall := _unfinished(reports, direct)) is not None:
        chain.insert(0, stall)
    if (stopped := _stopped(reports, direct)) is not None:
        return (stopped, *chain)
    if direct.kind in HANGS and before and _hang_after(before[-1], direct):
        chain.insert(0, before.pop())
        while before and _leads(before[-1], chain[0]):
            chain.insert(0, before.pop())
    return tuple(chain)


def _stopped(reports: Sequence[Report], hang: Report) -> Report | None:
    """Return the failed assertion that stopped a thread for which others then wait, or which hangs itself."""
    if hang.kind != "hung-task":
        return None
    before = [r for r in reports[: reports.index(hang)] if r.kind == "assertion" and r.boot == hang.boot]
    return next((r for r in before if _near(r, hang, WAITS_NS) or (r.pid is not None and r.pid == hang.pid)), None)


def _unfinished(reports: Sequence[Report], warning: Report) -> Report | None:
    """Return the report of a hang in whose midst the same CPU warned: the warning is only about how it was made."""
    at = reports.index(warning)
    last = reports[at - 1] if at else None
    if last is None or last.kind not in HANGS or last.frames or last.caller is None or last.caller != warning.caller:
        return None
    return last if _near(last, warning, AT_ONCE_NS) else None


def _leads(first: Report, second: Report) -> bool:
    """Tell whether an oops led to another: at once, or in the same task or on the same CPU before it was over."""
    related = not first.ended or first.pid in (None, second.pid) or second.pid is None
    if first.ns is None or second.ns is None:
        return related
    return _near(first, second, CHAIN_NS if related else AT_ONCE_NS)


def _hang_after(oops: Report, hang: Report) -> bool:
    """Tell whether a hang began when an oops had killed a task: by the time for which it is said to last."""
    if oops.ns is None or hang.ns is None:
        return False
    found = HUNG_FOR.search(hang.title)
    began = hang.ns - (int(found["seconds"]) if found else 60) * 1_000_000_000
    return -SOON_NS // 6 <= began - oops.ns <= SOON_NS
