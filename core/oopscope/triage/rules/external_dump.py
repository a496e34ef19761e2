"""No panic at all: the dump was taken from outside, of a machine that still ran.

Mostly such a machine hung: what its findings say of that stands in the summary; or that it is healthy.
"""

from oopscope.errors import OopscopeError
from oopscope.stacks.cpus import panic_cpu
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding, Verdict
from oopscope.triage.suffering import evidence_of, suffering, why_not_healthy, worst

QUESTIONS = ("If it hung: see what each CPU ran, and which tasks are blocked, longest first.",)
MAX_SHOWN = 8


def check(death: Death) -> Verdict | None:
    """Fire where nothing panicked: no words of it at the log's end, no panicking CPU, no crash time."""
    if not death.records or death.panic is not None or death.cause is not None:
        return None
    if _panicked(death) or death.kernel.info.get("CRASHTIME"):
        return None
    found = suffering(death)
    return death.verdict(
        "manual",
        "external-dump",
        "Taken from outside, no panic",
        f"The machine had not panicked: its memory was dumped from outside while it ran{_state(death, found)}.",
        "likely",
        _evidence(death, found),
        ("See the findings: what is wrong with it, the oldest first.", *QUESTIONS) if found else QUESTIONS,
        blame=False,
    )


def _state(death: Death, found: list[Finding]) -> str:
    """Say what is wrong, in the order of what tells most; or that nothing is, or that nobody can say so."""
    if found:
        return f"; {worst(found)}"
    doubt = why_not_healthy(death)
    return (
        f", and {doubt}"
        if doubt
        else ", and it looks healthy: no task is blocked, no CPU is stuck, no complaint in its log"
    )


def _evidence(death: Death, found: list[Finding]) -> list[Evidence]:
    return evidence_of(found or [one for one in death.findings if one.severity != "note"] or death.findings, MAX_SHOWN)


def _panicked(death: Death) -> bool:
    """Whether a CPU panicked; where that cannot be read, nobody can say that none did."""
    try:
        return panic_cpu(death.kernel) is not None
    except OopscopeError as e:
        death.kernel.problems.lost("verdict", "which CPU panicked")(e)
        return True
