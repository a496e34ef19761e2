"""An NMI that nobody claimed, and unknown_nmi_panic is set: mostly somebody's doing. arch/x86/kernel/nmi.c."""

from oopscope.triage.death import Death
from oopscope.triage.finding import Verdict

REASON = r".*NMI received for unknown reason ([0-9a-f]+) on CPU (\d+)"


def check(death: Death) -> Verdict | None:
    """Fire on the handler of unclaimed NMIs on the stack, or its words before the panic."""
    if "NMI" not in (death.panic_message or "") or death.panic_line is None:
        return None
    frame = death.on_stack("unknown_nmi_error")
    said = death.lately(REASON)
    if frame is None and said is None:
        return None
    evidence = [death.from_log(said[0])] if said else []
    evidence.append(death.from_log(death.lines[death.panic_line]))
    if frame:
        evidence.append(death.from_frame(frame, "{frame} handles NMIs that nobody claims"))
    return death.verdict(
        "manual",
        "unknown-nmi",
        "NMI that nobody claimed",
        "An NMI came that no driver knew, and unknown_nmi_panic is set: sent by IPMI, virsh inject-nmi or a button.",
        "certain" if frame and said else "likely",
        evidence,
        (
            "Ask who sent it: the management controller's event log tells of a power or NMI command.",
            "It is usually sent to a machine that hung: see what every CPU and the blocked tasks were doing.",
        ),
        culprit=death.interrupted or frame,
    )
