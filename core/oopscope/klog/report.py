"""One report of the log: an oops, warning, lockup, panic ... with all that its own lines say, read when asked for.

A report's extent is its own marks' (klog.parse); nothing here looks at lines of another. What its lines do not say is
None or empty.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from oopscope.kernel.frame import Frame
from oopscope.klog import detail
from oopscope.klog.wordings import DIE, Kind
from oopscope.lazy_re import compiled, lazy_re

TRACE = lazy_re(
    r"[\t ]*(?:Call [Tt]race|Backtrace|Stack [Tt]raceback|Call Backtrace|Trace)\b.{0,20}?:?\s*(?=$|<|\[|\()"
)
BEHIND = lazy_re(r"[\t ]{0,2}(?:[A-Z]|---)")  # what stands behind a stack; a frame, and what is left of one, does not


class Stack(NamedTuple):
    """One stack of a report: whose it is in the log's words (`Call Trace:`, `Freed by task 21:`), and its frames."""

    title: str
    frames: tuple[Frame, ...]


class Report:
    """One report. `rows` are places in the log's `lines`, the first its heading (or its `cut here`).

    number: its place among the log's reports, from 0.
    texts: the log's lines, all of them.
    """

    def __init__(self, number: int, kind: Kind, texts: Sequence[str], row: int) -> None:
        self.number, self.kind, self.texts = number, kind, texts
        self.rows = [row]
        self.headings: list[int] = []  # the rows of its first lines, in their order
        self.ns: int | None = None  # of its first line, on the kernel's clock
        self.end_ns: int | None = None
        self.caller: str | None = None  # T123 or C1, where the log has it
        self.boot = 0
        self.ended = False  # its end mark was seen

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return [self.texts[row] for row in self.rows]

    @property
    def row(self) -> int:
        """The row of the line that names it: the first of its headings."""
        return self.headings[0] if self.headings else self.rows[0]

    @property
    def title(self) -> str:
        """The line that names it."""
        return self.texts[self.row].strip()

    @cached_property
    def head(self) -> list[str]:
        """Its lines before the first stack: what it says in words."""
        lines = self.lines
        at = next((i for i, text in enumerate(lines) if TRACE.match(text)), len(lines))
        return lines[:at]

    def find(self, pattern: str | re.Pattern[str]) -> tuple[int, re.Match[str]] | None:
        """Return the first of its lines in which a pattern is found, as a row of the log, and the match."""
        search = compiled(pattern).search
        for row in self.rows:
            found = search(self.texts[row])
            if found:
                return row, found
        return None

    @property
    def die(self) -> re.Match[str] | None:
        """The line of die(): the name of the oops, its error code, which one of this boot it is.

        Not kept: the parser asks before the report has all of its headings.
        """
        for row in self.headings:
            found = DIE.match(self.texts[row])
            if found:
                return found
        return None

    @property
    def count(self) -> int | None:
        """Which oops of this boot it is: the 2 of [#2]."""
        return int(self.die["count"]) if self.die else None

    @property
    def error_code(self) -> int | None:
        """The error code of the fault, as die() printed it; hexadecimal."""
        code = self.die["code"] if self.die else None
        return int(code, 16) if code else None

    @cached_property
    def whole(self) -> bool:
        """Whether it says all of itself: its end mark, or with a kdump what stands behind its stack, was seen."""
        lines = self.lines
        stack = next((i for i, text in enumerate(lines) if TRACE.match(text)), None)
        return self.ended or (stack is not None and stack + 1 < len(lines) and BEHIND.match(lines[-1]) is not None)

    @cached_property
    def who(self) -> detail.Who:
        """CPU, task, taint, kernel: as the report's own lines say them."""
        return detail.who(self.lines)

    @property
    def cpu(self) -> int | None:
        """The CPU that it is about."""
        return self.who.cpu

    @property
    def pid(self) -> int | None:
        """The task's PID."""
        return self.who.pid

    @property
    def comm(self) -> str | None:
        """The task's name."""
        return self.who.comm

    @cached_property
    def modules(self) -> tuple[detail.Loaded, ...] | None:
        """The modules of `Modules linked in:`; None where that line is not there."""
        return detail.modules(self.lines)

    @cached_property
    def registers(self) -> dict[str, int]:
        """The kernel's registers at the fault, by the field's names (rax, cr2, x0, gpr1 ...); empty without them."""
        return detail.registers(self.lines)

    @cached_property
    def pc(self) -> Frame | None:
        """Where it stood: RIP, EIP, pc, NIP, PSW, epc. A guess never; a place in a program is None."""
        return detail.pc(self.lines)

    @cached_property
    def in_user(self) -> bool:
        """Whether it stood in a program."""
        return detail.in_user(self.lines)

    @cached_property
    def code(self) -> detail.Code | None:
        """The bytes at the pc, and which of them the pc is at."""
        return detail.code(self.lines)

    @cached_property
    def fault_address(self) -> int | None:
        """The address that could not be used, as the fault handler printed it."""
        return detail.fault_address(self.lines)

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """Every stack that it prints, its own first."""
        return tuple(Stack(title, frames) for title, frames in detail.stacks(self.lines))

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """Its own stack, innermost first: the pc, and then the frames of the call trace; empty without both."""
        own = next((s.frames for s in self.stacks if not s.title.startswith(detail.OTHERS)), ())
        pc = self.pc
        if pc is None:
            return own
        left_out = self._left_out(pc, own)
        inside = next(
            (i for i, f in enumerate(own) if (f.symbol, f.offset) == (pc.symbol, pc.offset) and f.symbol), None
        )
        if inside is not None and not any(f.reliable for f in own[:inside]):
            first = own[inside]._replace(reliable=True, module=own[inside].module or pc.module)
            return (first, *left_out, *own[inside + 1 :])
        if inside is not None:
            return own
        if left_out:
            own = (*left_out, *(f for f in own if f.symbol is not None))
        # A kernel that unwinds from the handler prints its frames first, as guesses; the pc stands before the sure.
        sure = next((i for i, f in enumerate(own) if f.reliable), 0)
        beyond = own[sure].kind if own else "task"
        return (pc._replace(kind=beyond if beyond in ("irq", "softirq", "nmi") else pc.kind), *own[sure:])

    def _left_out(self, pc: Frame, own: tuple[Frame, ...]) -> tuple[Frame, ...]:
        """Return the caller of what made no frame: of no code, and on arm64 of a function that calls nothing."""
        link = detail.link(self.lines)
        if link is None or (pc.symbol is not None and (link.symbol == pc.symbol or not detail.of_arm64(self.lines))):
            return ()
        near = own[:2] if pc.symbol is None else own
        return () if link.symbol in [f.symbol for f in near] else (link,)
