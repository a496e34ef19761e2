"""PID 1 died, and the kernel cannot go on without it. Follows kernel/exit.c (do_exit)."""

import re

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    found = re.match(r"Attempted to kill init!(?: exitcode=(0x[0-9a-f]+))?", death.panic_message or "")
    if found is None or death.panic_line is None:
        return None
    how = _how(int(found[1], 16)) if found[1] else "died"
    return death.verdict(
        "software",
        "init-killed",
        "PID 1 died",
        f"{death.who} {how}; without it the kernel cannot go on.",
        "certain",
        [death.from_log(death.lines[death.panic_line])],
        (
            "Look for what init said last, and for missing libraries or a full or broken root file system.",
            "A signal such as SIGSEGV or SIGBUS points at a damaged binary or at failing storage or memory.",
        ),
    )


def _how(code: int) -> str:
    """Put an exit code as wait(2) gives it into words."""
    signal = code & 0x7F
    return f"was killed by signal {signal}" if signal else f"exited by itself with status {code >> 8 & 0xFF}"
