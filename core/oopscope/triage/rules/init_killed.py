"""PID 1 died, and the kernel cannot go on without it. Follows kernel/exit.c (do_exit)."""

import re

from oopscope.triage.death import Death, Line
from oopscope.triage.finding import Verdict
from oopscope.triage.shares import STEPS, most_used

KILLED = r"(?:Memory cgroup out|Out) of memory: Kill(?:ed)? process"
SIGKILL = 9
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
    return death.verdict(
        "software",
        "init-killed",
        "PID 1 died",
        f"{_who(death)} {how}; without it the kernel cannot go on.",
        "certain",
        [death.from_log(death.lines[death.panic_line])],
        (
            "Look for what init said last, and for missing libraries or a full or broken root file system.",
            "A signal such as SIGSEGV or SIGBUS points at a damaged binary or at failing storage or memory.",
        ),
        blame=False,
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
    """Say who it was; that it was PID 1 the panic itself says."""
    return "PID 1" if death.whom[1:] == (None, None) else death.who


def _how(code: int) -> str:
    """Put an exit code as wait(2) gives it into words."""
    signal = code & 0x7F
    return f"was killed by signal {signal}" if signal else f"exited by itself with status {code >> 8 & 0xFF}"
