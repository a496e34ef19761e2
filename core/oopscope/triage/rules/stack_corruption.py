"""A function's stack frame was overwritten: the compiler's stack protector found its canary gone. kernel/panic.c."""

from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

SAID = lazy_re(r"stack-protector: Kernel stack is corrupted in: (\S+)(?: \[(\w+)\])?")


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    said = SAID.match(death.panic_message or "")
    if said is None or death.panic_line is None:
        return None
    place = said[1].split("/")[0] + (f" of module {said[2]}" if said[2] else "")
    return death.verdict(
        "software",
        "stack-corruption",
        "Stack frame overwritten",
        f"{place} wrote beyond a buffer on its own stack, run by {death.who}.",
        "certain",
        [death.from_log(death.lines[death.panic_line])],
        ("Look at the function's local arrays and what is copied into them.",),
        culprit=death.caller_of(("__stack_chk_fail",)),
    )
