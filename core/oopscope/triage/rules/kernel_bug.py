"""A BUG() or BUG_ON() in the code itself, or a warning that panic_on_warn made fatal. Follows lib/bug.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on `kernel BUG at` before the fatal oops, or on panic_on_warn."""
    if death.panic_message and "panic_on_warn set" in death.panic_message:
        return _warning(death)
    said = death.in_oops(r"kernel BUG at (.+?)!$")
    if said is None:
        return None
    return death.verdict(
        "software",
        "kernel-bug",
        "BUG: a condition that must not occur",
        f"{death.where} met a condition that must not occur (BUG at {said[1][1]}), run by {death.who}.",
        "certain",
        [death.from_log(said[0])],
        (f"Read the source at {said[1][1]}: the condition there was true.",),
    )


def _warning(death: Death) -> Verdict:
    said = death.said(r"WARNING: .* at (\S+)")
    evidence = [death.from_log(death.lines[death.panic_line])] if death.panic_line is not None else []
    if said:
        evidence.insert(0, death.from_log(said[0]))
    culprit = death.caller_of(("__warn", "report_bug", "handle_bug", "exc_invalid_op", "asm_exc_invalid_op"))
    culprit = death.fault_frame or culprit
    place = str(culprit) if culprit else death.where
    return death.verdict(
        "software",
        "kernel-bug",
        "A warning, fatal by configuration",
        f"{place} warned, and panic_on_warn is set: every warning stops this machine.",
        "certain",
        evidence,
        ("Read the warning's condition in the source.", "kernel.panic_on_warn=0 would have let the machine go on."),
        culprit=culprit,
    )
