"""No panic at all: the dump was taken from outside, of a machine that still ran."""

from oopscope.errors import OopscopeError
from oopscope.stacks.cpus import panic_cpu
from oopscope.triage.blocked import sleep_evidence, waits
from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire where nothing panicked: no words of it at the log's end, no panicking CPU, no crash time."""
    if not death.records or death.panic is not None or death.cause is not None:
        return None
    if _panicked(death) or death.kernel.info.get("CRASHTIME"):
        return None
    blocked = sorted((t for t in death.tasks if t.state == "D"), key=lambda t: -(t.since_last_run_seconds or 0))
    locked, by_address = waits(death), {t.address: t for t in death.tasks}
    evidence = [sleep_evidence(t, locked.get(t.address), by_address) for t in blocked[:MAX_SHOWN]]
    hint = f"; {len(blocked)} tasks are blocked" if blocked else ""
    return death.verdict(
        "manual",
        "external-dump",
        "Taken from outside, no panic",
        f"The machine had not panicked: its memory was dumped from outside while it ran{hint}.",
        "likely",
        evidence,
        ("If it hung: see what each CPU ran, and which tasks are blocked, longest first.",),
    )


def _panicked(death: Death) -> bool:
    """Whether a CPU panicked; where that cannot be read, nobody can say that none did."""
    try:
        return panic_cpu(death.kernel) is not None
    except OopscopeError as e:
        death.kernel.problems.lost("verdict", "which CPU panicked")(e)
        return True
