"""Kinds of log line that begin or end a report: what the kernel says by them. PATTERNS finds the kind of a line."""

import re

from oopscope.explain import Text
from oopscope.lazy_re import lazy_re

# The kind, and what its lines look like; the first that matches.
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, lazy_re(pattern))
    for name, pattern in (
        ("BUG: NULL pointer", r"BUG: (?:kernel NULL pointer|unable to handle kernel NULL)"),
        ("BUG: page fault", r"BUG: unable to handle|Unable to handle kernel"),
        ("BUG: soft lockup", r".*soft lockup - CPU#"),
        ("hard lockup", r".*[Hh]ard LOCKUP"),
        ("BUG: KASAN", r"BUG: (?:KASAN|KFENCE|KCSAN|KMSAN)"),
        ("BUG: Bad page", r"BUG: Bad page"),
        ("BUG: scheduling", r"BUG: scheduling while atomic|BUG: sleeping function"),
        ("kernel BUG at", r"kernel BUG at"),
        ("WARNING", r"WARNING: "),
        ("cut here", r"-+\[ cut here \]"),
        ("end trace", r"---\[ end (?:trace|Kernel panic)"),
        ("Oops", r"(?:Oops|general protection fault|divide error|invalid opcode|stack segment|double fault|int3)\b"),
        ("Kernel panic", r"Kernel panic - not syncing"),
        ("Call Trace", r"\s*(?:Call Trace:|<(?:TASK|IRQ|SOFTIRQ|NMI|/\w+)>)"),
        ("RIP", r"\s*RIP: "),
        ("Code", r"\s*Code: "),
        ("CPU and PID", r"CPU: \d+ .*PID: \d+"),
        ("registers", r"\s*(?:RSP|RAX|RDX|RBP|R10|R13|FS|CS|CR2|DR[036]|PKRU|ORIG_RAX):\s"),
        ("Modules linked in", r"Modules linked in:"),
        ("Hardware name", r"Hardware name: "),
        ("blocked task", r"INFO: task .* blocked for more than"),
        ("RCU stall", r"(?:rcu: )?INFO: rcu_\w+ "),
        ("OOM", r"Out of memory|.*invoked oom-killer|oom-kill:|Killed process|.*oom_reaper"),
        ("SysRq", r"(?:sysrq: |SysRq : )"),
        ("hardware error", r".*(?:\[Hardware Error\]|Machine check|EDAC |AER: )"),
        ("I/O error", r".*(?:I/O error|Buffer I/O|blk_update_request|critical (?:medium|target) error)"),
        ("segfault", r".*(?:segfault at|traps: \S+\[\d+\])"),
        ("taint", r".*(?:taints kernel|module verification failed)"),
    )
)


def kind_of(text: str) -> str | None:
    """Return the kind of a line of the log; None for one that is of no known kind."""
    return next((name for name, pattern in PATTERNS if pattern.match(text[:400])), None)


TEXTS: dict[str, Text] = {
    "BUG: NULL pointer": Text(
        "The kernel used a NULL pointer; the address is the offset of the member that it wanted.",
        "",
        "RIP below names the instruction; the verdict's cause tells more.",
    ),
    "BUG: page fault": Text(
        "The kernel used an address that is not mapped, or not so. The lines that follow tell whether it read, wrote "
        "or executed (#PF), and how far the page tables went.",
    ),
    "BUG: soft lockup": Text(
        "The watchdog thread of this CPU could not run for that many seconds: kernel code did not give the CPU up.",
    ),
    "hard lockup": Text("The CPU took no timer interrupt for about ten seconds: it ran with interrupts off."),
    "BUG: KASAN": Text(
        "A memory checker of the kernel saw a wrong access when it happened: the report names the access, and mostly "
        "who allocated and freed the object. It is the best witness that there can be.",
    ),
    "BUG: Bad page": Text(
        "The page allocator or the memory code found a page whose flags, count or mapping make no sense: memory was "
        "corrupted before.",
    ),
    "BUG: scheduling": Text(
        "Code slept, or could have slept, where that is forbidden: a spinlock is held or interrupts are off.",
    ),
    "kernel BUG at": Text("A check that the authors wrote (BUG_ON) failed, at this file and line."),
    "WARNING": Text(
        "A check failed that the kernel survives (WARN_ON), at this file and line in this function. The stack that "
        "follows is of the moment; nothing was killed.",
    ),
    "cut here": Text(
        "A report begins: what follows up to `end trace` belongs together and is what a bug report should hold.",
    ),
    "end trace": Text("The report ends. The number identifies the boot or the oops; it is not an address."),
    "Oops": Text(
        "The kernel faulted: error code, a count of oopses ([#1] is the first: read that one), and build options. "
        "Where panic_on_oops is not set, the kernel kills the task and tries to go on.",
    ),
    "Kernel panic": Text(
        "The kernel stops here, for the reason behind the dash. `not syncing` means that it does not write dirty "
        "data to disk any more.",
    ),
    "Call Trace": Text(
        "The stack, innermost first. `?` marks addresses that merely lay on the stack; <IRQ>, <NMI>, <TASK> tell "
        "whose stack it is.",
    ),
    "RIP": Text(
        "The instruction that faulted: segment, function + offset / the function's length. The segment 0010 is the "
        "kernel, 0033 a program.",
    ),
    "Code": Text(
        "The bytes around the instruction; the one in <> or () is where RIP stands. Disassembled they name the "
        "registers that it used.",
    ),
    "CPU and PID": Text(
        "Which CPU and which task; then the taint flags and the kernel. In an interrupt the task is there by chance.",
    ),
    "registers": Text(
        "The registers at the fault. One of them made the bad address; values such as 6b6b6b6b or dead000000000100 "
        "are poison and tell of a free or a list deletion before.",
    ),
    "Modules linked in": Text(
        "All modules loaded then; letters in brackets are their taints (OE: from outside of the tree and unsigned; + "
        "being loaded, - being unloaded).",
    ),
    "Hardware name": Text("The machine and the firmware's version and date, as the firmware tells it."),
    "blocked task": Text(
        "A task has been in state D for longer than hung_task_timeout_secs. The kernel prints only the first ten by "
        "default; the task list has all.",
        "",
        "D in the Tasks pane.",
    ),
    "RCU stall": Text(
        "RCU waits for too long for a CPU or a task to leave its reading section; the stacks that follow are the "
        "suspects.",
    ),
    "OOM": Text(
        "Memory ran out: the report lists zones, then tasks with their memory (in pages), then which one was killed "
        "and why that one.",
    ),
    "SysRq": Text(
        "Someone used the magic SysRq key or /proc/sysrq-trigger; the letter tells for what (c crashes, t lists "
        "tasks, w blocked ones, b reboots).",
    ),
    "hardware error": Text(
        "Hardware reported an error, corrected or not. Repeated corrected ones at the same place announce a failure.",
    ),
    "I/O error": Text(
        "A device could not read or write. File systems on it may turn read-only, and tasks may block behind it.",
    ),
    "segfault": Text("A program crashed on its own; the kernel only tells. ip and sp are the program's."),
    "taint": Text("A module tainted the kernel: letters O, E, P and the like in later reports."),
}
