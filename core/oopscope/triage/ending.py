"""The end of a log as the rules look at it: the records, how they end, and words within what led to the end.

`Ending` is the part of a Death that the log tells; triage.death adds the stacks and the verdict. It asks the dump only
whether an oops without a panic is what the panicking CPU died of.
"""

import re
from collections.abc import Sequence
from functools import cached_property

from oopscope.errors import OopscopeError
from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import plain
from oopscope.kernel.kernel import Kernel
from oopscope.klog.end import End, end_of, lived
from oopscope.klog.of_kernel import log_of
from oopscope.klog.parse import Line, Log
from oopscope.klog.report import Report
from oopscope.klog.wordings import DIE, Kind
from oopscope.lazy_re import compiled, lazy_re
from oopscope.linux.printk import Record, log
from oopscope.linux.sched import runqueues
from oopscope.stacks.cpus import Cpu, all_cpus

END_NS = 30_000_000_000  # what was said so shortly before the end is of the end
COMPLAINED = lazy_re(r"panic_on_warn|panic_on_kmsan|Warned too often|fault=panic|kmsan\.panic set")

__all__ = ["COMPLAINED", "END_NS", "Ending", "Line"]


class Ending:
    """What the log tells of a death."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    # The log.

    @cached_property
    def records(self) -> list[Record]:
        """The log; empty where it cannot be read."""
        try:
            return log(self.kernel)
        except OopscopeError as e:
            self.kernel.problems.lost("log")(e)
            return []

    @cached_property
    def log(self) -> Log:
        """The log, parsed into reports."""
        return log_of(self.kernel, self.records)

    @property
    def lines(self) -> Sequence[Line]:
        """The log's lines; a record may hold several."""
        return self.log.lines

    @cached_property
    def last_ns(self) -> int | None:
        """When the end was, on the kernel's clock: the latest that the log or a run queue's clock knows."""
        last = self.log.ns(len(self.lines) - 1) if len(self.lines) else None
        clocks = [] if self.only_log else [queue.clock for queue in self.kernel.cached(runqueues) if queue.clock]
        return max([*clocks, *([last] if last is not None else [])], default=None)

    @cached_property
    def end(self) -> End:
        """How the log ends; of a log alone that tells of no death, what it ends with."""
        found = end_of(self.log)
        return lived(self.log) if found.cause is None and self.only_log else found

    @property
    def panic(self) -> Report | None:
        """The panic line that counts, with the stack that it brings; None where nothing panicked."""
        return self.end.panic

    @property
    def panic_line(self) -> int | None:
        """The place in `lines` of the line in which panic() gives its reason."""
        return self.panic.row if self.panic else None

    @property
    def last_row(self) -> int:
        """The place in `lines` of the panic line; of a log without one of its last line."""
        return self.panic.row if self.panic else len(self.lines) - 1

    @property
    def panic_message(self) -> str | None:
        """What panic() was called with; None where it was not, for an oops can start the dump by itself."""
        return self.end.message

    @cached_property
    def cause(self) -> Report | None:
        """The report that led to the end; None where the log tells of no end, or of an oops that was survived."""
        found = self.end.cause
        if found is not None and self.panic is None and not self.lived and not self._is_on_stack(found):
            return None
        return found

    @property
    def oops(self) -> Report | None:
        """The oops that was died of; None where it was something else."""
        return self.cause if self.cause is not None and self.cause.kind == "oops" else None

    @property
    def oops_line(self) -> int | None:
        """The place in `lines` of the fatal oops's own line (`...: 0000 [#1]`), or of its first; None without one."""
        if self.oops is None:
            return None
        return next((row for row in self.oops.headings if DIE.match(self.lines[row].text)), self.oops.row)

    @cached_property
    def complaint(self) -> Report | None:
        """The checker's report (KASAN, SLUB, refcount_t, WARN ...) that was fatal by configuration; None elsewhere.

        In a log that tells of no death it is what that ends with.
        """
        found = self.cause
        complained = self._complained or self.lived
        return found if found is not None and found.kind not in ("oops", "panic") and complained else None

    @property
    def lived(self) -> bool:
        """Whether the log tells of no death, and its cause is what it ends with."""
        return self.end.lived

    def hung(self, kind: Kind, words: str) -> bool:
        """Return whether a kind of hang was died of, by panic()'s words, or is what the log ends with."""
        if self.oops is not None:
            return False
        if self.lived or (self.panic is not self.cause and self._complained):
            return self.cause is not None and self.cause.kind == kind
        return re.search(words, self.panic_message or "") is not None

    def fatal_by(self, setting: str) -> str:
        """Return as a clause that a setting made it fatal; nothing where it was not."""
        return "" if self.lived else f", and {'panic_on_warn' if self._complained else setting} is set"

    @property
    def _complained(self) -> bool:
        return COMPLAINED.search(self.panic_message or "") is not None

    def _is_on_stack(self, oops: Report) -> bool:
        """Whether an oops without a panic is what the panicking CPU died of.

        crash_kexec() of an oops saves the registers of the fault, so that the stack begins with what faulted. Where no
        stack is known, the log's end decides: nothing was printed after it but what is its own.
        """
        names = {f.symbol for f in self.stack}
        if names & {"oops_end", "die", "__die", "die_addr"}:
            return True
        if not names:
            return (self.cpu is not None and self.cpu.state == "panic") or self._ends_with(oops)
        first, pc = self.stack[0], oops.pc
        if pc is None:
            return False
        if first.symbol is None or pc.symbol is None:
            return first.address == pc.address or (first.symbol is None and pc.symbol is not None)
        return plain(first.symbol) == plain(pc.symbol) or first.offset == pc.offset

    def _ends_with(self, oops: Report) -> bool:
        """Whether an oops without a panic is the end of the log; in a log alone the last oops is what it tells of."""
        return self.only_log or oops.rows[-1] >= len(self.lines) - 2

    @cached_property
    def only_log(self) -> bool:
        """Whether there is a log and nothing else."""
        return self.kernel.facts.format == "log"

    @property
    def boot(self) -> int:
        """Which boot of the log died: the count of boot lines before it."""
        return self.cause.boot if self.cause is not None else len(self.log.boots)

    def before(self, *kinds: str, within: int = END_NS) -> Report | None:
        """Return the last report of some kinds that led to the end or came shortly before it (in ns)."""
        cause = self.cause
        if cause is None:
            return None
        until = self.end.chain[-1].row
        for report in reversed(self.log.reports):
            if report.kind not in kinds or report.boot != cause.boot or report.row > until:
                continue
            far = report.end_ns is not None and cause.ns is not None and cause.ns - report.end_ns > within
            return None if far else report
        return None

    def said(self, pattern: str | re.Pattern[str]) -> tuple[Line, re.Match[str]] | None:
        """Return the first line of what led to the end, the panic included, that matches at its beginning."""
        match = compiled(pattern).match
        for report in self.end.chain:
            for row in report.rows:
                found = match(report.texts[row].lstrip())
                if found:
                    return self.lines[row], found
        return None

    def in_cause(self, pattern: str | re.Pattern[str]) -> tuple[Line, re.Match[str]] | None:
        """Return the first line of the report that led to the end that matches at its beginning."""
        match = compiled(pattern).match
        for row in self.cause.rows if self.cause is not None else ():
            found = match(self.log.lines.texts[row].lstrip())
            if found:
                return self.lines[row], found
        return None

    def in_oops(self, pattern: str | re.Pattern[str]) -> tuple[Line, re.Match[str]] | None:
        """Return the first line of the fatal oops in which a pattern is found."""
        found = self.oops.find(pattern) if self.oops else None
        return (self.lines[found[0]], found[1]) if found else None

    def lately(self, pattern: str | re.Pattern[str], within: int = END_NS) -> tuple[Line, re.Match[str]] | None:
        """Return the last record of the kernel that begins so and was written shortly before the end (in ns)."""
        match = compiled(pattern).match
        last = self.end.chain[-1].row if self.end.chain else len(self.lines) - 1
        ends = self.log.ns(last) if self.lines else None
        first = max((row for row in self.log.boots if row <= last), default=0)
        texts = self.log.lines.texts
        for row in range(last, first - 1, -1):
            if row in self.log.foreign:
                continue
            ns = self.log.ns(row)
            if ns is not None and ends is not None and ends - ns > within:
                return None
            found = match(texts[row].lstrip())
            if found:
                return self.lines[row], found
        return None

    # The panicking CPU, as the dump has it.

    @cached_property
    def cpu(self) -> Cpu | None:
        """The CPU that panicked, as the dump has it; None for a log, and where none is named."""
        if self.only_log:
            return None
        try:
            cpus = all_cpus(self.kernel)
        except OopscopeError as e:
            self.kernel.problems.lost("cpus")(e)
            return None
        return next((c for c in cpus if c.state == "panic"), None)

    @property
    def stack(self) -> tuple[Frame, ...]:
        """The panicking CPU's stack in the dump; empty for a log."""
        return self.cpu.frames if self.cpu else ()
