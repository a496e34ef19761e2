"""What else was wrong with the machine: findings, one kind a file, each with severity, age and evidence.

A file has `find(death)`, which yields findings; a line in FINDINGS adds it. What the machine died of is the verdict's,
so a report of the log that is part of the death's chain is no finding. What a log alone cannot tell is not found.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from oopscope.errors import Absent, OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.triage.finding import Finding, Source

if TYPE_CHECKING:
    from oopscope.triage.death import Death

FINDINGS: tuple[str, ...] = (
    "oopses",
    "warnings",
    "detectors",
    "circles",
    "stuck_cpus",
    "frozen",
    "stalled",
    "memory",
    "blocked",
    "storage",
    "hardware",
    "firmware",
    "clocks",
    "modules",
    "forged",
)
MAX_FINDINGS = 64
# What a hung machine is judged by, what is most telling first.
HANGS = (
    "deadlock", "frozen-filesystem", "io-stall", "stuck-cpu", "soft-lockup", "hard-lockup", "rcu-stall",
    "workqueue-lockup", "busy-cpu", "earlier-oops", "out-of-memory", "low-memory", "hung-task", "blocked-tasks",
    "io-error", "filesystem-error", "memory-corruption",
)  # fmt: skip
# What the verdict of a cause tells already.
COVERED: dict[str, tuple[str, ...]] = {
    "deadlock": ("deadlock", "hung-task", "blocked-tasks"),
    "hung-task": ("hung-task", "blocked-tasks"),
    "io-stall": ("io-stall", "hung-task", "blocked-tasks"),
    "out-of-memory": ("out-of-memory", "low-memory"),
    "unknown-nmi": ("unknown-nmi",),
    "nmi-io-check": ("unknown-nmi",),
    "machine-check": ("machine-check-survived",),
}
RANK = {"error": 0, "warning": 1, "note": 2}


def findings_of(death: "Death") -> list[Finding]:
    """Return all that was wrong, oldest first; a kind that fails is a problem, and the others go on."""
    found: list[Finding] = []
    for name in FINDINGS:
        try:
            found += import_module(f"oopscope.triage.findings.{name}").find(death)
        except Absent:  # this kernel has no such thing
            continue
        except OopscopeError as e:
            death.kernel.problems.lost("findings", name.replace("_", " "))(e)
        except Exception as e:  # noqa: BLE001 - the boundary of a kind: what went wrong is shown, the rest goes on
            death.kernel.problems.add("findings", f"{name}: {type(e).__name__}: {e}")
    found.sort(key=lambda one: (-(one.age_seconds or 0.0), RANK[one.severity]))
    return found[:MAX_FINDINGS]


def hang(found: list[Finding]) -> list[Finding]:
    """Return what a machine that ran on suffered from, the most telling first; notes are no suffering."""
    grave = [one for one in found if one.id in HANGS and one.severity != "note"]
    return sorted(grave, key=lambda one: (HANGS.index(one.id), one.age_seconds or 0.0))


def findings(kernel: Kernel) -> list[Finding]:
    """Return all that was wrong besides the verdict, found once."""
    return kernel.cached(_findings)


def _findings(kernel: Kernel) -> list[Finding]:
    from oopscope.triage import verdict
    from oopscope.triage.death import Death

    died_of = verdict(kernel)
    told = {piece.source for piece in died_of.evidence if piece.source.kind == "log"}
    if died_of.category == "manual":  # what such a machine suffered from is no part of what was done to it
        told = set()
    covered = COVERED.get(died_of.cause, ())
    return [
        one for one in findings_of(Death(kernel))
        if one.id not in covered and not _is_told(one, told)
    ]  # fmt: skip


def _is_told(one: Finding, told: set[Source]) -> bool:
    """Tell whether the verdict tells of all that a finding stands on in the log."""
    own = {piece.source for piece in one.evidence if piece.source.kind == "log"}
    return bool(own) and own <= told
