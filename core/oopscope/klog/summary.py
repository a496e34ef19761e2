"""What a block of the log says in one line: how many lines it folds, from where to where its stack leads, whose it is.

It reads the block's lines and knows nothing of the screen; the words are cleaned by who shows them.
"""

import re
from collections.abc import Sequence

from oopscope.kernel.functions import entry_kind
from oopscope.klog import detail
from oopscope.klog.report import TRACE

TITLES = {
    "dump": "Registers", "memory": "Mem-Info", "tasks": "Tasks state", "locks": "Locks held", "lockdep": "Lock report",
    "workqueues": "Busy workqueues", "objects": "Object dump",
}  # fmt: skip
# A symbol as every stack prints it, and what may stand about it: a guess's sign, a module's name.
SYMBOL = re.compile(
    r"(?P<guess>\? )?(?<!\w)(?<!\w[.$])(?P<name>[A-Za-z_][\w.$]*)"
    r"\+(?P<at>0x[0-9a-f]+)/0x[0-9a-f]+(?: \[(?P<module>[\w-]+))?"
)
TASK = re.compile(r"task:(.{1,15}?) +state:(\S).* pid: *(\d+)")
# Functions at the ends of a stack that say nothing of why it is there.
DULL = re.compile(
    r"dump_stack|show_stack|dump_header|v?panic$|__warn|report_bug|handle_bug|nmi_|__schedule|schedule(?:_|$)|"
    r"preempt_schedule|kthread$|secondary_startup|x64_sys_call"
)
TELLING = ("cr2", "badaddr")  # registers that name the address of a fault
PROGRAMS = re.compile(r"\s*(?:RSP: 002b|ESP: 007b)")  # by their stack segment: no kernel's
RSS = 3  # its column after the PID of dump_tasks


def summary(kind: str, lines: Sequence[str], matter: Sequence[str] = ()) -> str:
    """Return a block's one line; `matter` are the registers that are told of those that are folded."""
    if kind == "registers":
        return _registers(lines, matter)
    teller = {"dump": _dump, "memory": _memory, "tasks": _tasks}.get(kind)
    says = teller(lines) if teller is not None else ""
    title = "Call Trace" if kind == "dump" and any(_is_trace(text) for text in lines) else TITLES[kind]
    return f"{title}: {len(lines):,} lines" + (f", {says}" if says else "")


def _registers(lines: Sequence[str], matter: Sequence[str]) -> str:
    """Return `rdi NULL  cr2 0x28  20 more registers`: those that matter, and what names the address of the fault."""
    found = detail.registers(lines)
    if PROGRAMS.match(lines[0]):
        return f"{len(found):,} registers of the program"
    shown = [name for name in (*matter, *TELLING) if name in found] if matter else []
    told = [f"{name} {f'{found[name]:#x}' if found[name] else 'NULL'}" for name in shown]
    return "  ".join([*told, f"{len(found) - len(shown):,} {'more ' if told else ''}registers"])


def _is_trace(text: str) -> bool:
    return TRACE.match(text) is not None


def _dump(lines: Sequence[str]) -> str:
    words = [_stack(lines)]
    who = detail.who(lines)
    task = next((match for text in lines if (match := TASK.match(text))), None)
    if who.comm is not None and who.cpu is not None:
        words.append(f"CPU {who.cpu}, PID {who.pid} {who.comm}")
    elif task is not None:
        words.append(f"PID {task[3]} {task[1]}, state {task[2]}")
    return " · ".join(word for word in words if word)


def _stack(lines: Sequence[str]) -> str:
    """Return `lab_read+0x12 … do_syscall_64`: where it stands, or the innermost that says something, and its origin."""
    pc = detail.pc(lines)
    own = next((frames for title, frames in detail.stacks(lines) if not title.startswith(detail.OTHERS)), ())
    frames = [frame for frame in own if frame.reliable and frame.symbol]
    telling = [frame for frame in frames if not _is_dull(frame.symbol or "")] or frames
    first = pc if pc is not None and pc.symbol else (telling[0] if telling else None)
    if first is None:
        return ""
    last = telling[-1].symbol if telling else ""
    return f"{first.symbol}+{first.offset or 0:#x}" + (f" … {last}" if last and last != first.symbol else "")


def _is_dull(name: str) -> bool:
    """Tell whether a function says nothing of why a stack is there: what reports, schedules, or lets in."""
    return entry_kind(name) is not None or DULL.match(name) is not None


def _memory(lines: Sequence[str]) -> str:
    free = total = ""
    for text in lines:
        free = free or _number(r"\bfree:(\d+)\b", text)
        total = total or _number(r"^(\d+) pages RAM", text)
    return f"{int(free):,} of {int(total):,} pages free" if free and total else ""


def _number(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1][:18] if match else ""


def _tasks(lines: Sequence[str]) -> str:
    count, most, largest = 0, -1, ""
    for text in lines:
        match = re.match(r"\[ *(\d+)\] +(.+)", text)
        columns = match[2].split() if match else []
        if match is None or len(columns) <= RSS or not columns[RSS].isdecimal():
            continue
        count += 1
        if int(columns[RSS][:18]) > most:
            most, largest = int(columns[RSS][:18]), f"{match[1]} {columns[-1]}"
    return f"{count:,} tasks, the largest {largest}" if count else ""
