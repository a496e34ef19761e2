"""A report of a log alone of which the first lines are lost: where it stood, and what its stack tells of what it was.

The functions that report something stand on the stack of what they report. They tell what kind it was, not which words.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import entry_kind, first_not, is_dying, is_helper, is_waiting, plain
from oopscope.klog.report import Report
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Category, Verdict

MOST = 16  # frames: what reports stands near the top
PANIC = lazy_re(r"v?panic|nmi_panic")


class Sign(NamedTuple):
    """A function by which a stack tells what was reported."""

    name: re.Pattern[str]
    category: Category
    cause: str
    title: str
    words: str  # of the place


# The more telling first: a warning may have been set to be fatal.
SIGNS = (
    Sign(lazy_re(r"_*stack_chk_fail"), "software", "stack-corruption", "Stack frame overwritten",
         "{} found its own stack frame overwritten"),
    Sign(lazy_re(r"spl_panic|lbug_with_loc|assfail|assertfail|btrfs_assertfail"), "software", "assertion-failed",
         "Assertion failed", "An assertion of {} failed"),
    Sign(lazy_re(r"watchdog_timer_fn"), "hang", "soft-lockup", "Soft lockup", "A CPU was stuck in {}"),
    Sign(lazy_re(r"watchdog_(?:overflow_callback|hardlockup_check)"), "hang", "hard-lockup", "Hard lockup",
         "A CPU was stuck in {}, with interrupts off"),
    Sign(lazy_re(r"print_(?:other_)?cpu_stall\w*|rcu_dump_cpu_stacks"), "hang", "rcu-stall", "RCU stall",
         "A CPU did not let RCU go on, in {}"),
    Sign(lazy_re(r"__schedule_bug|_{2,3}might_(?:sleep|resched)"), "software", "scheduling-while-atomic",
         "Slept where sleeping is forbidden", "{} slept, or was about to, where that is forbidden"),
    Sign(lazy_re(r"print_bad_pte|bad_page"), "software", "page-corruption", "A page's record was overwritten",
         "A page's state was wrong in {}"),
    Sign(lazy_re(r"dump_header|oom_kill_process"), "memory", "out-of-memory", "Out of memory",
         "Memory ran out for {}"),
    Sign(lazy_re(r"_*fortify_panic|usercopy_abort"), "software", "out-of-bounds", "Access out of bounds",
         "A check of an object's size stopped {}"),
    Sign(lazy_re(r"_*warn|warn_slowpath_\w+"), "software", "kernel-warning", "A warning", "{} warned"),
)  # fmt: skip


def of_stack(death: Death) -> Verdict | None:
    """Judge by the stack of the last report that lost its first lines; None where that tells nothing."""
    report = _last(death)
    if report is None:
        return None
    stack = report.stacks[0].frames[:MOST] if report.stacks else ()
    for sign in SIGNS:
        at = next((i for i, f in enumerate(stack) if sign.name.fullmatch(_plain(f)) and _is_sure(stack, i)), None)
        if at is None:
            continue
        place = _beyond(report.frames) if report.pc is not None else _beyond(_interrupted(stack, at + 1))
        if place is None:
            return None
        panicked = any(PANIC.fullmatch(_plain(f)) and f.reliable for f in stack)
        found = report.find(rf"\b{re.escape(_plain(stack[at]))}\b")
        return death.verdict(
            sign.category,
            sign.cause,
            sign.title,
            f"{sign.words.format(place)}, by the stack alone: "
            f"the log lacks the beginning of the report{'; it panicked then' if panicked else ''}.",
            "likely" if panicked else "possible",
            [death.from_log(death.lines[found[0] if found is not None else report.row])],
            ("Look for the beginning of the log: the console's, netconsole's, or the next part of pstore's.",),
            culprit=place,
            whom=(report.cpu, report.pid, report.comm),
        )
    return None


def place(death: Death) -> Frame | None:
    """Return where the last such report stood that has a pc or says that it was died of; None without one."""
    report = _last(death)
    if report is None or (report.pc is None and not is_dying(report.frames[0].symbol)):
        return None
    return _beyond(report.frames) or report.pc


def _last(death: Death) -> Report | None:
    if not death.only_log or death.cause is not None:
        return None
    last = next((r for r in reversed(death.log.reports) if r.kind == "stack" and r.frames), None)
    return None if last is None or last.in_user else last


def _is_sure(stack: Sequence[Frame], at: int) -> bool:
    """Tell whether a frame is true: what handles an exception or interrupt is printed as a guess before its entry.

    Of a warning only its own functions stand before that; where others do, two stacks are mixed.
    """
    entry = _entry(stack, at)
    if stack[at].reliable or entry is None:
        return stack[at].reliable
    place = stack[entry + 1].symbol if entry + 1 < len(stack) else None
    own = all(is_dying(f.symbol) or f.symbol == place for f in stack[at:entry])
    return own or not is_dying(stack[at].symbol) or entry_kind(stack[entry].symbol) != "exception"


def _entry(stack: Sequence[Frame], start: int) -> int | None:
    """Return the last of the functions by which an exception or interrupt came in."""
    kinds = [entry_kind(f.symbol) in ("exception", "irq", "nmi") for f in stack]
    return next((i for i in range(start, len(stack)) if kinds[i] and not any(kinds[i + 1 : i + 2])), None)


def _interrupted(stack: Sequence[Frame], start: int) -> Sequence[Frame]:
    """Return what stands behind the entry of an exception or interrupt; where there is none, all of it."""
    entry = _entry(stack, start)
    if entry is None:
        return stack[start:]
    return [f._replace(reliable=True) if i == 0 else f for i, f in enumerate(stack[entry + 1 :])]


def _beyond(frames: Sequence[Frame]) -> Frame | None:
    sure = [f for f in frames if f.reliable]
    return first_not(sure, is_dying, is_helper, is_waiting) or first_not(frames, is_dying, is_helper)


def _plain(frame: Frame) -> str:
    return plain(frame.symbol or "")
