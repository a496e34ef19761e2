"""The audit system lost a record, and its failure mode is panic (auditctl -f 2). Follows kernel/audit.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on panic()'s own words."""
    if death.panic is None or not (death.panic_message or "").startswith("audit: "):
        return None
    evidence = [death.from_log(death.lines[death.panic.row])]
    before = death.lately(r"audit: (?!type=)")
    if before and before[0] != death.lines[death.panic.row]:
        evidence.append(death.from_log(before[0]))
    handler = death.on_stack("audit_panic", "audit_log_lost")
    return death.verdict(
        "software",
        "audit-failure",
        "Audit failed, and that is set to be fatal",
        f"The audit system could not keep a record ({death.panic_message}), and its failure mode is panic.",
        "certain" if handler else "likely",
        evidence,
        (
            "auditctl -f 2 asks for this panic; -f 1 would print the loss and go on.",
            "Why did auditd stop or fall behind? Its own log and the backlog limit (auditctl -s) tell.",
        ),
    )
