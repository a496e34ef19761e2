"""PID 1 died, and the kernel cannot go on without it. Follows kernel/exit.c (do_exit)."""

import re

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death, Line
from oopscope.triage.finding import Verdict
from oopscope.triage.findings.storage import failed_disks
from oopscope.triage.shares import STEPS, most_used

KILLED = r"(?:Memory cgroup out|Out) of memory: Kill(?:ed)? process"
# What the kernel says of a program's fault (show_unhandled_signals, arch/*/mm/fault.c and traps.c).
FAULT = lazy_re(
    r"(?:traps: )?\S.{0,15}\[(?P<pid>\d{1,18})\]:? (?:segfault at |trap |general protection|"
    r"bad frame |unhandled |bad area |"
    r"User access of kernel address|illegal instruction)"
)
SIGBUS, SIGKILL = 7, 9
STORAGE = (
    "Look at the disk, its cable, its controller, its path or host: a page of init could not be read from it.",
    "Look for what the log says of that disk first, before its file system's errors.",
)
SIGNALS = {
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    15: "SIGTERM",
}
SOON_NS = 30_000_000_000


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    found = re.match(r"Attempted to kill init!(?: exitcode=(0x[0-9a-f]+))?", death.panic_message or "")
    if found is None or death.panic_line is None or death.oops is not None:  # an oops that PID 1 died of is the cause
        return None
    code = int(found[1], 16) if found[1] else None
    how = _how(code) if code is not None else "died"
    killed = death.lately(KILLED, SOON_NS)
    if killed and code is not None and (code & 0x7F == SIGKILL or code >> 8 & 0xFF == 128 + SIGKILL):
        return _starved(death, how, killed[0])
    disk = next(iter(failed_disks(death)), None) if _is_sigbus(code) else None
    faulted = death.lately(FAULT)
    told = faulted is not None and int(faulted[1]["pid"]) in (1, death.whom[1])
    return death.verdict(
        "software",
        "init-killed",
        "PID 1 died",
        f"{_who(death)} {how}; without it the kernel cannot go on{f'. {disk.text}' if disk else ''}.",
        "certain",
        [
            death.from_log(death.lines[death.panic_line]),
            *([death.from_log(faulted[0])] if faulted and told else []),
            *(disk.evidence[:2] if disk else ()),
        ],
        STORAGE if disk else _steps(code),
        blame=False,
    )


def _is_sigbus(code: int | None) -> bool:
    """Tell whether a page that is there could not be had: of a file on a disk that fails, or of broken memory."""
    return code is not None and code & 0x7F == SIGBUS


def _steps(code: int | None) -> tuple[str, str]:
    """Return what to look at, by how it ended."""
    if code is not None and code & 0x7F:
        return (
            "Check init's binary and its libraries, and the disk and memory that they were read from.",
            "Was another init, a library or a CPU feature that they need changed lately?",
        )
    return (
        "Look for what init said last: its own messages stand before the panic.",
        "Look for missing libraries, a full or broken root file system, a wrong init= or initramfs.",
    )


def _starved(death: Death, how: str, killed: Line) -> Verdict:
    """Say that memory ran out: the OOM killer killed PID 1, or the child whose end PID 1 ended with."""
    assert death.panic_line is not None
    words, share = most_used(death)
    return death.verdict(
        "memory",
        "out-of-memory",
        "Out of memory, and PID 1 ended with it",
        f"Memory ran out{words}; the OOM killer killed processes until {_who(death)} {how}.",
        "likely",
        [death.from_log(killed), death.from_log(death.lines[death.panic_line]), *share],
        STEPS,
        blame=False,
    )


def _who(death: Death) -> str:
    """Say who it was; that it was PID 1 the panic itself says, of which another thread may have been the last."""
    _cpu, pid, comm = death.whom
    if (pid, comm) == (None, None):
        return "PID 1"
    return death.who if pid in (1, None) else f"PID 1, whose thread {death.who} was the last,"


def _how(code: int) -> str:
    """Put an exit code as wait(2) gives it into words."""
    signal = code & 0x7F
    if signal:
        return f"was killed by {SIGNALS.get(signal, f'signal {signal}')}"
    return f"exited by itself with status {code >> 8 & 0xFF}"
