"""The circumstances of a death, gathered once from log, stacks and registers, for the rules to judge.

`death.end` says how the log ends (klog.end): `death.panic` is the panic line that counts, `death.cause` the report that
led to it (an oops, a warning, a lockup, the OOM killer ...; the panic itself where nothing else did), `death.oops` the
same where it is an oops. Rules look for words within a report (`death.said`), or among the records of the end
(`death.lately`): both are bounded by the report's own marks, or by the time of the end, never by a count of lines.

`death.frames` is the stack of the death: the panicking CPU's in the dump, else what the log's own words tell of it.
`death.fault_frame` is where the fault was, `death.culprit` whom to blame for it: roles of functions (kernel.functions)
are skipped. A death of a log alone answers all of it the same way; what a log cannot tell is None or empty.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame, FrameKind
from oopscope.kernel.functions import (
    calls_cpus,
    entry_kind,
    first_not,
    is_bottom,
    is_dying,
    is_helper,
    is_softirq_loop,
    is_waiting,
)
from oopscope.klog.end import HANGS, PANICS
from oopscope.klog.parse import Line
from oopscope.klog.wordings import DIE
from oopscope.lazy_re import lazy_re
from oopscope.linux.task_state import called
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.stacks.standing import interrupted_in
from oopscope.stacks.tasks import Task, all_tasks
from oopscope.triage.ending import COMPLAINED, END_NS, Ending
from oopscope.triage.finding import Category, Confidence, Evidence, Finding, Source, Verdict
from oopscope.triage.signature import basis, signature

INTERRUPTS = {"irq": "an interrupt", "softirq": "a softirq", "nmi": "an NMI"}
# An oops of a task gives its stack up before the task is ended, in which panic() may be called (oops_limit, PID 1).
REWOUND = lazy_re(r"rewind_stack_(do_exit|and_make_dead)|make_task_dead(\.|$)")

# Causes that a checker's report may lie behind, and how shortly before.
PLAIN = ("general-protection-fault", "bad-page-fault", "null-pointer-dereference", "kernel-bug", "invalid-opcode")
AT_ONCE_NS = 1_000_000_000
CORRUPT_NS = 10_000_000_000  # memory found overwritten, or sleep in atomic, so shortly before may be the deeper cause
LIVED = "The log tells of no panic: the machine may have lived on."
__all__ = ["COMPLAINED", "DIE", "END_NS", "Check", "Death", "Line", "entry_kind"]


def _entered(frame: Frame, behind: Frame) -> bool:
    """Tell whether a frame is the entry of an exception that came while the kernel ran what stands behind it."""
    if frame.kind != "exception" or behind.kind == "user" or entry_kind(behind.symbol) == "exception":
        return False
    if (behind.symbol or "").split(".")[0] in PANICS:  # it came in while panic() waited
        return False
    return entry_kind(frame.symbol) is not None or not is_dying(frame.symbol)  # that one is on an exception's own stack


class Death(Ending):
    """What the rules look at."""

    # The stacks.

    @cached_property
    def told(self) -> tuple[Frame, ...]:
        """The stack of the end as the log prints it: of the oops, else of the panic, else of what led to it."""
        if self.oops is not None:
            return self.oops.frames
        if self.panic is not None and self.panic.frames:
            return self.panic.frames
        return self.cause.frames if self.cause is not None else ()

    @property
    def only_led_to(self) -> bool:
        """Whether the oops that is the cause killed a task, and what then hung for it is what the machine died of."""
        return self.oops is not None and self.end.direct is not None and self.end.direct.kind in HANGS

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The stack of the death: the dump's; the log's where that has none, no names, or only guesses."""
        stack = self.stack
        rewound = any(f.symbol and REWOUND.match(f.symbol) for f in stack)
        if self.told and (self.only_led_to or (self.oops is not None and rewound)):
            return self.told
        program = all(f.kind == "user" for f in stack)
        if any(f.reliable and (f.symbol or program) for f in stack) or not any(
            f.reliable and f.symbol for f in self.told
        ):
            return stack or self.told
        return self.told

    @cached_property
    def sure(self) -> tuple[Frame, ...]:
        """The frames of the death that are no guesses; all of them where all are."""
        return tuple(f for f in self.frames if f.reliable) or self.frames

    @cached_property
    def fault_frame(self) -> Frame | None:
        """The function that faulted: the frame right behind the innermost exception entry."""
        if self.frames is self.told and self.oops is not None and self.told:
            return self._beyond_entry(self.told)
        behind = next((behind for entry, behind in pairwise(self.frames) if _entered(entry, behind)), None)
        if behind is not None:
            return self._named_by_log(behind)
        if self.oops is None or not self.frames:
            return None
        first, pc = self.frames[0], self.oops.pc
        if pc is not None and is_dying(first.symbol):  # behind the exception no stack is known: the oops tells where
            return pc
        return self._named_by_log(first)

    def _beyond_entry(self, frames: Sequence[Frame]) -> Frame:
        """Return where an oops stood; a BUG in the handler of an exception is about what stands behind its entry."""
        if is_dying(frames[0].symbol):
            for frame, behind in pairwise(frames):
                if entry_kind(frame.symbol) == "exception":
                    return behind
        return frames[0]

    def _named_by_log(self, frame: Frame) -> Frame:
        """Give a frame of a module whose symbols are not to be had the name that the oops printed."""
        pc = self.oops.pc if self.oops else None
        if frame.symbol is not None or pc is None or pc.symbol is None:
            return frame
        return frame._replace(symbol=pc.symbol, offset=pc.offset, module=pc.module)

    @cached_property
    def interrupted(self) -> Frame | None:
        """What the innermost interrupt or NMI found running on the panicking CPU; None where that was a program."""
        return interrupted_in(self.frames)

    def beyond_locks(self, frames: Sequence[Frame]) -> Frame | None:
        """Return the first frame that is not a lock's own code: who waits for it."""
        named = [f for f in frames if f.symbol and f.kind != "user" and not is_waiting(f.symbol)]
        return next((f for f in named if f.reliable), named[0] if named else None)

    def blame_stuck(self, found: Frame | None, frames: Sequence[Frame] | None = None) -> tuple[Frame | None, str]:
        """Return what to blame for a CPU that was stuck where an interrupt found it, and that in words."""
        if found is None:
            return None, self.where
        stack = self.frames if frames is None else frames
        behind = stack[stack.index(found) :] if found in stack else ()
        if not is_waiting(found.symbol):
            beyond = (
                first_not(behind, is_helper, is_dying) if is_helper(found.symbol) or is_dying(found.symbol) else None
            )
            return beyond or found, str(beyond or found)
        waiter = self.beyond_locks(behind)
        lock = "a spinlock" if "spin" in (found.symbol or "") else "a lock"
        lock = "other CPUs to answer" if calls_cpus(found.symbol) else lock
        does = "gave a lock back just then" if "unlock" in (found.symbol or "") else f"waits for {lock}"
        return waiter or found, f"{waiter or found}, which {does}"

    @cached_property
    def culprit(self) -> Frame | None:
        """The frame to blame: what faulted, else the first caller that is not part of dying; no leaf, no thunk."""
        if self.fault_frame is not None and self.fault_frame.symbol is None and not any(f.symbol for f in self.frames):
            return next((f for f in self.frames if f.module), self.fault_frame)  # a kernel without names
        if self.fault_frame is not None:
            return self.beyond_helpers(self.fault_frame)
        named = first_not(self.sure, is_dying, is_helper) or first_not(self.sure, is_dying)
        return named or next((f for f in self.sure if f.module), None)

    def beyond_helpers(self, frame: Frame) -> Frame:
        """Return whom to blame for a fault: the frame, or of a leaf that was handed a bad argument its caller.

        A helper that nobody called, and a place without a name, are blamed themselves.
        """
        if not any(role(frame.symbol) for role in (is_helper, is_waiting, is_dying)):
            return frame
        at = next((i for i, f in enumerate(self.frames) if f.address == frame.address and f.sp == frame.sp), 0)
        behind = [f for f in self.frames[at + 1 :] if f.reliable or not frame.reliable]
        return first_not(behind, is_helper, is_dying, is_waiting) or frame

    def caller_of(self, names: Iterable[str]) -> Frame | None:
        """Return the frame that called the outermost of some functions."""
        wanted, found = set(names), None
        for frame, behind in pairwise(self.sure):
            if frame.symbol and frame.symbol.split(".")[0] in wanted:
                found = behind
        return found

    def on_stack(self, *names: str) -> Frame | None:
        """Return the innermost frame of the panicking CPU in one of some functions (suffixes such as .cold aside)."""
        return next((f for f in self.sure if f.symbol and f.symbol.split(".")[0] in names), None)

    @cached_property
    def in_interrupt(self) -> bool:
        """Whether what faulted ran in an interrupt or softirq."""
        return self.interrupt is not None

    @cached_property
    def interrupt(self) -> FrameKind | None:
        """In what kind of interrupt something faulted: by its stack, or by an entry behind it on a task's."""
        frame = self.fault_frame
        if frame is None or frame.kind in INTERRUPTS:
            return frame.kind if frame is not None else None
        at = next((i for i, f in enumerate(self.frames) if (f.address, f.sp) == (frame.address, frame.sp)), None)
        softirq = False
        for behind in self.frames[at + 1 :] if at is not None else ():
            softirq = softirq or (is_softirq_loop(behind.symbol) and behind.reliable)
            if behind.reliable and entry_kind(behind.symbol) == "irq":
                return "softirq" if softirq else "irq"
            if entry_kind(behind.symbol) == "syscall":
                break
        return None

    @cached_property
    def tasks(self) -> list[Task]:
        """Every task; empty where they cannot be read."""
        if self.only_log:
            return []
        try:
            return all_tasks(self.kernel)
        except OopscopeError as e:
            self.kernel.problems.lost("tasks")(e)
            return []

    @cached_property
    def findings(self) -> list[Finding]:
        """What else was wrong, oldest first."""
        from oopscope.triage.findings import findings_of  # the kinds of findings look at a death themselves

        return findings_of(self)

    # The verdict.

    def from_log(self, line: Line, text: str | None = None) -> Evidence:
        """Return a line of the log as evidence."""
        return Evidence(text or line.text.strip(), Source("log", str(line.record), None, self.kernel.log_from))

    def from_frame(self, frame: Frame, text: str) -> Evidence:
        """Return a frame of the panicking CPU as evidence."""
        return Evidence(text.format(frame=frame), Source("frame", str(self.whom[0] if self.whom[0] is not None else ""),
                                                         frame.address or None))  # fmt: skip

    @property
    def panicked_on(self) -> int | None:
        """The CPU on which panic() ran; what it is about may be another's."""
        if self.cpu is not None:
            return self.cpu.cpu
        return self.panic.cpu if self.panic is not None and self.panic.cpu is not None else self.whom[0]

    @cached_property
    def whom(self) -> tuple[int | None, int | None, str | None]:
        """CPU, PID and name of who died: of the dump's panicking CPU, else as the log has it."""
        if self.cpu is not None and not self.only_led_to:
            return self.cpu.cpu, self.cpu.pid, self.cpu.comm
        for report in self.end.chain:
            if report.pid is not None or report.cpu is not None:
                return report.cpu, report.pid, report.comm
        return None, None, None

    def verdict(
        self,
        category: Category,
        cause: str,
        title: str,
        summary: str,
        confidence: Confidence,
        evidence: Iterable[Evidence] = (),
        next_steps: Iterable[str] = (),
        culprit: Frame | None = None,
        task: Task | None = None,
        on: Cpu | None = None,
        blame: bool = True,
        whom: tuple[int | None, int | None, str | None] | None = None,
    ) -> Verdict:
        """Make a verdict: whose CPU, task and code it was is the panicking CPU's, unless a task or a CPU is given.

        blame=False: nobody's code is to blame where no culprit is given.
        """
        frame = culprit or (self.culprit if blame else None)
        facts = list(evidence)
        if frame in self.frames and frame is not None and not any(e.source.kind == "frame" for e in facts):
            facts.append(self.from_frame(frame, "{frame} is where the panicking CPU's own code stood"))
        if self.went_on is not None:
            text = f"the log goes on for {self.went_on:.0f} s after it, without a panic: the machine survived that"
            facts.append(Evidence(text, Source("log", str(self.lines[len(self.lines) - 1].record), None)))
        cpu, pid, comm = whom or self.whom
        if on is not None:
            cpu, pid, comm = on.cpu, on.pid, on.comm
        if task is not None:
            cpu, pid, comm = task.cpu, task.pid, task.comm
        return Verdict(
            category=category,
            cause=cause,
            title=title,
            summary=f"{summary} {LIVED}" if self.lived else summary,
            confidence=self._earned(confidence, cause),
            panic_message=self.message,
            cpu=cpu,
            pid=pid,
            comm=comm,
            symbol=frame.place if frame else None,
            module=frame.module if frame else None,
            evidence=tuple(facts),
            next_steps=tuple(next_steps),
            signature=signature(cause, frame),
            signature_basis=basis(frame, self.stack, self.told) if cause != "unknown" else None,
        )

    @property
    def _lost_the_first(self) -> bool:
        """Whether the oops that was died of was not the first, and the log has none before it; or came while dying."""
        names = [f.symbol for f in self.stack]  # panic() calls vpanic() since 6.16: both stand there once
        if self.oops is not None and max(names.count("panic"), names.count("vpanic")) > 1:
            return True
        count = self.oops.count if self.oops is not None else None
        seen = {r.count for r in self.log.reports if r.kind == "oops" and r.boot == self.boot}
        return count is not None and count > 1 and count - 1 not in seen

    def _checked_before(self, cause: str) -> bool:
        """Whether a checker had just reported bad memory, and the cause leaves that out, or it was another task's.

        A double fault within the report of another fault is another CPU's, or came of that.
        """
        if cause in PLAIN and self.in_oops(r"^PANIC: double fault"):
            return True
        report = self.before("memory-error", within=AT_ONCE_NS) if self.oops is not None else None
        if report is None or self.oops is None:
            return False
        told = "null-ptr" in report.title and cause == "null-pointer-dereference"
        return (cause in PLAIN and not told) or (report.pid is not None and report.pid != self.oops.pid)

    def _earned(self, confidence: Confidence, cause: str) -> Confidence:
        """Return a confidence no higher than what bears it: words alone make nothing certain."""
        if self.only_log and self.oops is not None and self.panic is None and not self.oops.frames:
            return "possible"  # the log ends within the oops, before it says where that was
        if self.end.past:
            return "possible"
        if confidence == "certain" and ((self.only_log and not self.frames) or self._lost_the_first):
            return "likely"
        doubt = (
            self._checked_before(cause)
            or (cause in PLAIN and self.before("bad-page", "slab", "atomic", within=CORRUPT_NS) is not None)
            or self._ends_within
            or self._lost_its_place
            or self.only_led_to
            or self.lived
            or self.went_on is not None
        )
        return "likely" if confidence == "certain" and doubt else confidence

    @property
    def _ends_within(self) -> bool:
        """Whether a log alone ends before the oops has said all of itself, and no panic tells how it went on."""
        oops = self.oops if self.only_log and self.panic is None else None
        return oops is not None and not oops.whole

    @property
    def cut_in_stack(self) -> bool:
        """Whether a log alone ends in the midst of the stack that was died on: what stands behind is not known."""
        last = (self.oops or self.end.chain[-1]) if self.only_log and self.end.chain else None
        if last is None or last.ended or last.rows[-1] < len(self.lines) - (1 if self.panic else 3):
            return False
        bottom = last.frames[-1] if last.frames else None
        return not last.whole and not (bottom is not None and is_bottom(bottom.symbol))

    @property
    def _lost_its_place(self) -> bool:
        """Whether an oops of a log alone does not say where it stood, or what it was but at its end."""
        oops = self.oops if self.only_log else None
        if oops is None:
            return False
        return (oops.pc is None and not oops.in_user) or not oops.headings or oops.title.startswith("CR2: ")

    @cached_property
    def went_on(self) -> float | None:
        """For how many seconds a log alone goes on after an oops without a panic; None where it does not."""
        cause = self.cause
        if not self.only_log or self.panic is not None or cause is None or (self.lived and not self.end.past):
            return None
        last = next((ns for row in range(len(self.lines) - 1, -1, -1) if (ns := self.log.ns(row)) is not None), None)
        if last is None or cause.end_ns is None or last - cause.end_ns < END_NS:
            return None
        return (last - cause.end_ns) / 1e9

    @cached_property
    def message(self) -> str | None:
        """The panic message: panic()'s own, or for a fatal oops the line that says what happened."""
        return self.oops.title if self.oops is not None else self.panic_message

    @property
    def where(self) -> str:
        """The culprit in words: `f+0x5 in module m`, `f+0x5`."""
        frame = self.culprit
        if frame is None or (frame.symbol is None and frame.module is None):
            return "an unknown place"
        if frame.symbol is None:
            return f"module {frame.module}"
        return f"{frame.place} of module {frame.module}" if frame.module else str(frame.place)

    @property
    def where_stood(self) -> str:
        """Where the fault was, in words, whoever is to blame for it."""
        return str(self.fault_frame) if self.fault_frame is not None else self.where

    @property
    def by(self) -> str:
        """Who ran the code that is to blame, for a sentence: in an interrupt not the task that was interrupted."""
        kind = self.interrupt
        return f"run by {self.who}" if kind is None else f"in {INTERRUPTS[kind]}; {self.who} was only interrupted"

    def frames_on(self, cpu: int) -> tuple[Frame, ...]:
        """Return the stack of a CPU: the dump's, else what a report of the end shows of it."""
        if not self.only_log:
            try:
                return next((c.frames for c in all_cpus(self.kernel) if c.cpu == cpu), ())
            except OopscopeError:
                return ()
        shown = [r for r in self.log.reports if r.boot == self.boot and r.cpu == cpu and r.frames]
        return shown[-1].frames if shown else ()

    def task_on(self, cpu: int) -> tuple[int | None, str | None]:
        """Return PID and name of what ran on a CPU; None for what is not known."""
        if not self.only_log:
            try:
                return next(((c.pid, c.comm) for c in all_cpus(self.kernel) if c.cpu == cpu), (None, None))
            except OopscopeError:
                return None, None
        shown = [r for r in self.log.reports if r.boot == self.boot and r.cpu == cpu and r.pid is not None]
        return (shown[-1].pid, shown[-1].comm) if shown else (None, None)

    @property
    def who(self) -> str:
        """Who died, in words."""
        _cpu, pid, comm = self.whom
        if pid is None and comm is None:
            return "an unknown task"
        return "the idle task" if pid == 0 else called(pid, comm)


Check = Callable[[Death], Verdict | None]
