"""A BUG() or BUG_ON() in the code itself. Follows lib/bug.c and arch/*/kernel/traps.c."""

from oopscope.klog.machines import BUGS
from oopscope.klog.report import Report
from oopscope.triage.death import Death
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope.triage.wording import fault_of


def check(death: Death) -> Verdict | None:
    """Fire on `kernel BUG at` as the first word of the fatal oops, on BUG's own name, or on its very instruction."""
    said = death.in_oops(r"^[Kk]ernel BUG at (.+?)!?$") or death.in_oops(
        r"^(?:Kernel BUG|Kernel bug detected|.*Oops - BUG)"
    )
    if said is None:
        return _by_the_machine(death)
    place = f" (BUG at {said[1][1]})" if said[1].re.groups and said[1][1] else ""
    return death.verdict(
        "software",
        "kernel-bug",
        "BUG: a condition that must not occur",
        f"{death.where} met a condition that must not occur{place}, {death.by}.",
        "certain",
        [death.from_log(said[0])],
        (f"Read the source at {said[1][1] if place else death.where}: the condition there was true.",),
    )


def _by_the_machine(death: Death) -> Verdict | None:
    """Judge a BUG of which the log has no words: powerpc's trap, or of an oops cut off before them the instruction."""
    said = fault_of(death, "bug")
    report = death.cause if death.oops is None and death.panic is not None else None
    if said is None and (report is None or report.kind != "stack" or not _is_bug(report)):
        return None
    evidence = [death.from_log(said[0])] if said else []
    if report is not None:
        row = next((row for row in report.rows if "Code: " in report.texts[row]), report.row)
        evidence.append(Evidence("the instruction there is the one of BUG()", Source("log", str(row), None)))
    return death.verdict(
        "software",
        "kernel-bug",
        "BUG: a condition that must not occur",
        f"{death.where} met a condition that must not occur (BUG), {death.by}.",
        "likely",
        evidence,
        (f"Read the source of {death.where}: a BUG_ON() there was true.",),
    )


def _is_bug(report: Report) -> bool:
    code = report.code
    return code is not None and code.at is not None and code.data[code.at :].startswith(BUGS)
