"""The circumstances of a death, gathered once from log, stacks and registers, for the rules to judge.

Only the end counts: an oops that the machine survived is no cause, unless the panic's own words name it. So the rules
see `oops` only where it was fatal, and `panic_message` only where panic() was called.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.kernel import Kernel
from oopscope.linux.printk import Record, log
from oopscope.stacks.cpus import Cpu, all_cpus
from oopscope.stacks.tasks import Task, all_tasks
from oopscope.triage.finding import Category, Confidence, Evidence, Source, Verdict
from oopscope.triage.signature import signature

PANIC = re.compile(r"Kernel panic - not syncing: (.*)")
# The line that every die() prints: what happened, the error code, and which oops of this boot it was.
DIE = re.compile(r"^(?:Oops: )?(.*?): ?([0-9a-f]{4}) \[#(\d+)\]")
FATAL_OOPS = "Fatal exception"  # also "... in interrupt"; what oops_end() calls panic() with
COMPLAINED = re.compile(r"panic_on_warn set|kasan\.fault=panic")
# Where an interrupt or NMI enters; behind it stands what was interrupted.
ENTRY = re.compile(
    r"^(asm_(sysvec|common_interrupt|spurious|exc_nmi)\w*|(apic_timer|reschedule|call_function\w*|common|ret_from|"
    r"irq_work|hv_\w+|xen_\w+)_(interrupt|intr)|nmi|end_repeat_nmi|first_nmi|exc_nmi_noist)(\.\w+)*$"
)
LOCKING = re.compile(
    r"^_*(raw_|native_|pv_|queued_|paravirt_)*(spin|read|write|queued_spin|queued_read|queued_write|rw)_?(lock|trylock)\w*"
)
_NAMED = re.compile(r"RIP: [0-9a-f]{4}:(\S{1,200})\+0x([0-9a-f]{1,8})/0x[0-9a-f]+(?: \[(\S{1,64})\])?")
_RIP = re.compile(r"RIP: [0-9a-f]{4}:(?:\[<[0-9a-f]+>\] )?(?:\[<[0-9a-f]+>\] )?(\S+)")
LOOK_BACK = 200  # lines before the end of an oops that can belong to it
# Frames of the dying itself: none of them is the culprit.
DYING = re.compile(
    r"^(v?panic|nmi_panic|crash_kexec|__crash_kexec|crash_setup_regs|machine_kexec|oops_end|oops_begin|die|die_addr|"
    r"__die(_body)?|no_context|page_fault_oops|kernelmode_fixup_or_oops|bad_area\w*|__bad_area\w*|do_user_addr_fault|"
    r"do_kern_addr_fault|exc_\w+|asm_exc_\w+|do_trap|do_error_trap|handle_bug|do_\w+_fault|__warn|report_bug|"
    r"__warn_printk|check_panic_on_warn|panic_on_rcu_stall|dump_stack\w*|native_machine_\w+|kexec_crash_\w+|"
    r"asm_\w+|page_fault|general_protection|divide_error|invalid_op|double_fault)(\.\w+)*$"
)


class Line(NamedTuple):
    """One line of the log, and which record it is in."""

    record: int
    text: str


@dataclass
class Death:
    """What the rules look at."""

    kernel: Kernel

    @cached_property
    def records(self) -> list[Record]:
        """The log; empty where it cannot be read."""
        try:
            return log(self.kernel)
        except OopscopeError as e:
            self.kernel.problems.lost("log")(e)
            return []

    @cached_property
    def lines(self) -> list[Line]:
        """The log's lines; a record may hold several."""
        return [Line(r.index, text) for r in self.records for text in r.text.split("\n")]

    @cached_property
    def _panic(self) -> tuple[int, str] | None:
        for at in range(len(self.lines) - 1, -1, -1):
            found = PANIC.search(self.lines[at].text)
            if found and not self.lines[at].text.lstrip().startswith("---[ end"):
                return at, found[1].strip()
        return None

    @property
    def panic_line(self) -> int | None:
        """The place in `lines` of the last line in which panic() gives its reason."""
        return self._panic[0] if self._panic else None

    @property
    def panic_message(self) -> str | None:
        """What panic() was called with; None where it was not, for an oops can start the dump by itself."""
        return self._panic[1] if self._panic else None

    @cached_property
    def oops_line(self) -> int | None:
        """The place in `lines` of the fatal oops's own line (`...: 0000 [#1]`); None where no oops was fatal."""
        last = next((at for at in range(len(self.lines) - 1, -1, -1) if DIE.match(self.lines[at].text)), None)
        if last is None:
            return None
        message, at = self.panic_message, self.panic_line
        if message is None or at is None:
            return last if self._is_on_stack(last) else None
        return last if last < at and message.startswith(FATAL_OOPS) else None

    @cached_property
    def complaint_end(self) -> int | None:
        """The place in `lines` before which a checker (SLUB, KASAN, refcount_t) can have named what was died of.

        That is the fatal oops, or panic() where it says that a complaint was fatal by configuration; None elsewhere.
        """
        if self.oops_line is not None:
            return self.oops_line
        return self.panic_line if COMPLAINED.search(self.panic_message or "") else None

    def _is_on_stack(self, oops: int) -> bool:
        """Whether an oops is what the panicking CPU died of: its own function faulted there, or its stack is not known.

        crash_kexec() of an oops saves the registers of the fault, so that the stack begins with what faulted.
        """
        names = {f.symbol for f in self.frames}
        if not names or names & {"oops_end", "die", "__die", "die_addr"}:
            return True
        said = next((m for line in self.lines[oops : oops + 12] if (m := _RIP.search(line.text))), None)
        first = self.frames[0]
        if said is None:
            return False
        symbol, _, offset = said[1].partition("+")
        if not offset:  # a pc that is no code is printed as it is
            return symbol == f"{first.address:#x}"
        if first.symbol is None:  # code that has no name here, as a module's has none without types
            return True
        return symbol == first.symbol or int(offset.split("/")[0], 16) == first.offset  # the same place by another name

    @cached_property
    def block(self) -> list[Line]:
        """The lines of the end: from shortly before the fatal oops (or the panic) to the log's end."""
        start = self.oops_line if self.oops_line is not None else self.panic_line
        return self.lines[max(0, start - LOOK_BACK) :] if start is not None else self.lines[-LOOK_BACK:]

    def find(self, pattern: str, before: int | None = None, back: int = LOOK_BACK) -> tuple[Line, re.Match[str]] | None:
        """Return the last line that matches, looking back from a place in `lines` (the log's end by default)."""
        compiled = re.compile(pattern)
        end = len(self.lines) if before is None else before
        for at in range(end - 1, max(-1, end - 1 - back), -1):
            found = compiled.search(self.lines[at].text)
            if found:
                return self.lines[at], found
        return None

    def in_oops(self, pattern: str, back: int = 12) -> tuple[Line, re.Match[str]] | None:
        """Return the last line at or shortly before the fatal oops's own line that matches; not of an oops before."""
        end = self.oops_line
        if end is None:
            return None
        before = (n for n in range(1, min(back, end + 1)) if DIE.match(self.lines[end - n].text))
        return self.find(pattern, end + 1, next(before, back))

    @cached_property
    def cpu(self) -> Cpu | None:
        """The CPU that panicked; the only candidate where none is named."""
        try:
            cpus = all_cpus(self.kernel)
        except OopscopeError as e:
            self.kernel.problems.lost("cpus")(e)
            return None
        return next((c for c in cpus if c.state == "panic"), None)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The panicking CPU's stack."""
        return self.cpu.frames if self.cpu else ()

    @cached_property
    def fault_frame(self) -> Frame | None:
        """The function that faulted: the frame right behind the innermost exception entry."""
        for frame, behind in zip(self.frames, self.frames[1:], strict=False):
            if frame.kind == "exception" and behind.kind != "user":
                return self._named_by_log(behind)
        return self._named_by_log(self.frames[0]) if self.oops_line is not None and self.frames else None

    def _named_by_log(self, frame: Frame) -> Frame:
        """Give a frame of a module whose symbols are not to be had the name that the oops printed: sym+0x5/0x14 [m]."""
        oops = self.oops_line
        if frame.symbol is not None or oops is None:
            return frame
        said = next((m for line in self.lines[oops : oops + 12] if (m := _NAMED.search(line.text))), None)
        return frame._replace(symbol=said[1], offset=int(said[2], 16), module=said[3]) if said else frame

    @cached_property
    def interrupted(self) -> Frame | None:
        """What the innermost interrupt or NMI found running on the panicking CPU; None where that was a program."""
        for frame, behind in zip(self.frames, self.frames[1:], strict=False):
            if frame.symbol and ENTRY.match(frame.symbol):
                return behind if behind.kind != "user" else None
        return None

    def beyond_locks(self, frames: Sequence[Frame]) -> Frame | None:
        """Return the first frame that is not a spinlock's own code: who waits for it."""
        return next((f for f in frames if f.symbol and not LOCKING.match(f.symbol)), None)

    def blame_stuck(self, found: Frame | None) -> tuple[Frame | None, str]:
        """Return what to blame for a CPU that was stuck where an interrupt found it, and that in words."""
        if found is None:
            return None, self.where
        if not LOCKING.match(found.symbol or ""):
            return found, str(found)
        waiter = self.beyond_locks(self.frames[self.frames.index(found) :])
        return waiter or found, f"{waiter or found}, which waits for a spinlock"

    @cached_property
    def culprit(self) -> Frame | None:
        """The frame to blame: what faulted, else the first caller that is not part of dying."""
        if self.fault_frame is not None:
            return self.fault_frame
        return next((f for f in self.frames if f.symbol and not DYING.match(f.symbol)), None)

    def caller_of(self, names: Iterable[str]) -> Frame | None:
        """Return the frame that called the outermost of some functions."""
        wanted, found = set(names), None
        for frame, behind in zip(self.frames, self.frames[1:], strict=False):
            if frame.symbol and frame.symbol.split(".")[0] in wanted:
                found = behind
        return found

    def on_stack(self, *names: str) -> Frame | None:
        """Return the innermost frame of the panicking CPU in one of some functions (suffixes such as .cold aside)."""
        return next((f for f in self.frames if f.symbol and f.symbol.split(".")[0] in names), None)

    @cached_property
    def in_interrupt(self) -> bool:
        """Whether what faulted ran in an interrupt or softirq."""
        frame = self.fault_frame
        return frame is not None and frame.kind in ("irq", "softirq", "nmi")

    @cached_property
    def tasks(self) -> list[Task]:
        """Every task; empty where they cannot be read."""
        try:
            return all_tasks(self.kernel)
        except OopscopeError as e:
            self.kernel.problems.lost("tasks")(e)
            return []

    def from_log(self, line: Line, text: str | None = None) -> Evidence:
        """Return a line of the log as evidence."""
        return Evidence(text or line.text.strip(), Source("log", str(line.record)))

    def from_frame(self, frame: Frame, text: str) -> Evidence:
        """Return a frame of the panicking CPU as evidence."""
        return Evidence(text.format(frame=frame), Source("frame", str(self.cpu.cpu if self.cpu else ""), frame.address))

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
    ) -> Verdict:
        """Make a verdict: whose CPU, task and code it was is the panicking CPU's, unless a task or a CPU is given."""
        frame = culprit or self.culprit
        cpu = on or self.cpu
        facts = list(evidence)
        if frame in self.frames and frame is not None and not any(e.source.kind == "frame" for e in facts):
            facts.append(self.from_frame(frame, "{frame} is where the panicking CPU's own code stood"))
        return Verdict(
            category=category,
            cause=cause,
            title=title,
            summary=summary,
            confidence=confidence,
            panic_message=self.message,
            cpu=task.cpu if task else cpu.cpu if cpu else None,
            pid=task.pid if task else cpu.pid if cpu else None,
            comm=task.comm if task else cpu.comm if cpu else None,
            symbol=f"{frame.symbol}+{frame.offset or 0:#x}" if frame and frame.symbol else None,
            module=frame.module if frame else None,
            evidence=tuple(facts),
            next_steps=tuple(next_steps),
            signature=signature(cause, frame, self.frames),
        )

    @cached_property
    def message(self) -> str | None:
        """The panic message: panic()'s own, or for a fatal oops the line that says what happened."""
        if self.oops_line is None:
            return self.panic_message
        said = self.in_oops(r"^(BUG: |kernel BUG at |general protection|Oops: |\S.* error:|stack guard|.*corruption)")
        first = self.in_oops(r"^(BUG: |kernel BUG at |.*(?:stack )?guard page was hit)") or said
        return first[0].text.strip() if first else self.lines[self.oops_line].text.strip()

    @property
    def where(self) -> str:
        """The culprit in words: `f+0x5 in module m`, `f+0x5`."""
        frame = self.culprit
        if frame is None or frame.symbol is None:
            return "an unknown place"
        place = f"{frame.symbol}+{frame.offset or 0:#x}"
        return f"{place} of module {frame.module}" if frame.module else place

    @property
    def who(self) -> str:
        """The panicking CPU's task in words."""
        cpu = self.cpu
        if cpu is None or cpu.pid is None:
            return "an unknown task"
        return "the idle task" if cpu.pid == 0 else cpu.who


Check = Callable[[Death], Verdict | None]
