"""Memory ran out, and the kernel was told to panic over it, or found nothing to kill. Follows mm/oom_kill.c."""

import re

from oopscope.kernel.frame import Frame
from oopscope.kernel.functions import is_allocator
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict

SAID = r"[Oo]ut of memory|System is deadlocked on memory|panic_on_oom"


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if not re.search(SAID, death.panic_message or "") or death.panic_line is None:
        return None
    evidence = [death.from_log(death.lines[death.panic_line])]
    invoked = death.lately(r"(.{1,16}?) invoked oom-killer: (.*)")
    if invoked:
        evidence.insert(0, death.from_log(invoked[0]))
    hungry = sorted((t for t in death.tasks if t.rss_bytes and t.pid == t.tgid), key=lambda t: -(t.rss_bytes or 0))[:1]
    for task in hungry:
        text = f"{task.who} held most memory of all processes: {(task.rss_bytes or 0) >> 20} MiB"
        evidence.append(Evidence(text, Source("task", str(task.pid), task.address)))
    asked = f"{invoked[1][1]} asked for memory that was not there" if invoked else "Memory ran out"
    why = " and vm.panic_on_oom is set" if "panic_on_oom" in (death.panic_message or "") else ""
    return death.verdict(
        "memory",
        "out-of-memory",
        "Out of memory",
        f"{asked}{why}.",
        "certain",
        evidence,
        (
            "See what took the memory (processes, slab, shared memory and tmpfs, page tables).",
            "A leak in the kernel shows as slab or unaccounted memory, one in a program as its RSS.",
        ),
        culprit=_asker(death),
    )


def _asker(death: Death) -> Frame | None:
    """Return who asked the allocator for the pages: the frame behind the outermost of its functions."""
    asker = None
    for frame, behind in zip(death.frames, death.frames[1:], strict=False):
        if is_allocator(frame.symbol):
            asker = behind
    return asker
