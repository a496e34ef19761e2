"""What a machine that was stopped on purpose suffered from, in words: for dumps from outside, by NMI and by SysRq.

Takes the findings; knows how to say the worst of them in a sentence, and when nothing at all is wrong.
"""

from collections.abc import Sequence

from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Finding
from oopscope.triage.findings import hang

MAX_SAID = 3
# Sections whose holes make it impossible to say that all is well.
NEEDED = ("tasks", "cpus", "log", "locks", "findings")


def suffering(death: Death) -> list[Finding]:
    """Return what the machine suffered from, the most telling first."""
    return hang(death.findings)


def worst(found: Sequence[Finding]) -> str:
    """Return the worst of it as clauses of a sentence; each kind once."""
    said: dict[str, str] = {}
    for one in found:
        said.setdefault(one.id, one.text)
    clauses = list(said.values())
    rest = len(found) - min(len(clauses), MAX_SAID)
    return "; ".join(clauses[:MAX_SAID]) + (
        f"; see {rest} more findings" if rest > 1 else "; see one more finding" if rest else ""
    )


def evidence_of(found: Sequence[Finding], most: int) -> list[Evidence]:
    """Return the evidence of findings, of each its first pieces before the further ones of any."""
    rounds = max((len(one.evidence) for one in found), default=0)
    pieces = [one.evidence[at] for at in range(rounds) for one in found if at < len(one.evidence)]
    return list(dict.fromkeys(pieces))[:most]


def why_not_healthy(death: Death) -> str:
    """Return why a machine of which nothing bad is known cannot be called healthy; nothing where it can."""
    blocked = next((one for one in death.findings if one.id == "blocked-tasks"), None)
    warned = next((one for one in death.findings if one.severity != "note" or one.id == "busy-cpu"), None)
    undated = sum(task.state == "D" and task.since_last_run_seconds is None for task in death.tasks)
    if blocked is not None:
        return f"nothing is wrong but that {blocked.text}"
    if undated:
        what = f"{undated} tasks are" if undated > 1 else "one task is"
        return f"{what} in uninterruptible sleep, since when is not known"
    if warned is not None:
        return f"nothing holds it up, but {warned.text}"
    if death.only_log or any(problem.section in NEEDED for problem in death.kernel.problems):
        return "nothing wrong was found in what could be read"
    return ""


def aside(death: Death) -> str:
    """Return what a machine suffered from that was brought down on purpose, to end a sentence with; mostly nothing."""
    found = suffering(death)
    return f" Before that: {worst(found)}." if found else ""
