"""A NULL pointer, or a member at a small offset from one, was used. Follows arch/x86/mm/fault.c (show_fault_oops)."""

from oopscope.triage.death import Death
from oopscope.triage.faults import bad_call
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on the fault handler's own words."""
    said = death.in_oops(
        r"BUG: kernel NULL pointer dereference, address: ([0-9a-f]+)|unable to handle kernel NULL pointer"
    )
    if said is None:
        return None
    address = int(said[1][1], 16) if said[1][1] else 0
    evidence = [death.from_log(said[0])]
    access = death.in_oops(r"#PF: supervisor (\w+ ?\w*) in kernel mode|#PF: supervisor instruction fetch")
    if access:
        evidence.append(death.from_log(access[0]))
    called = bad_call(death)
    if called:
        summary = f"{death.who} called a function through a NULL pointer, in {called}."
    elif address:
        summary = f"{death.where} used a member {address:#x} bytes into a NULL pointer, run by {death.who}."
    else:
        summary = f"{death.where} used a NULL pointer, run by {death.who}."
    return death.verdict(
        "software",
        "null-pointer-dereference",
        "NULL pointer dereference",
        summary,
        "certain",
        evidence,
        (
            f"Which struct has a member at offset {address:#x}? Its pointer was NULL there.",
            "Look at what the caller passed, and at the error path that left it unset.",
        ),
        culprit=called,
    )
