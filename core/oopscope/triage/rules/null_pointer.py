"""A NULL pointer, or a member at a small offset from one, was used. Follows arch/*/mm/fault.c and mm/kasan/report.c."""

from oopscope.triage.death import Death
from oopscope.triage.faults import bad_call, fault_address, null_pointer
from oopscope.triage.finding import Verdict


def check(death: Death) -> Verdict | None:
    """Fire on the fault handler's own words, an address in the first page, or what KASAN reckoned to be such."""
    said = null_pointer(death)
    if said is None:
        return None
    address = fault_address(death) or 0
    evidence = [death.from_log(said)]
    access = death.in_oops(r"#PF: supervisor (\w+ ?\w*) in kernel mode|#PF: supervisor instruction fetch")
    if access:
        evidence.append(death.from_log(access[0]))
    called = bad_call(death)
    if called:
        summary = f"{death.who} called a function through a NULL pointer, in {called}."
    elif address:
        summary = f"{death.where} used a member {address:#x} bytes into a NULL pointer, {death.by}."
    else:
        summary = f"{death.where} used a NULL pointer, {death.by}."
    return death.verdict(
        "software",
        "null-pointer-dereference",
        "NULL pointer dereference",
        summary,
        "likely" if called is not None and not called.reliable else "certain",
        evidence,
        _steps(address, called is not None),
        culprit=called,
    )


def _steps(address: int, called: bool) -> tuple[str, str]:
    """Return what to look at: the operation that was never set, or whose pointer it was."""
    if called:
        return (
            "Which function pointer does it call there? It was never set, or its struct was zeroed.",
            "Look at who sets that operation, and whether the object was torn down or not yet ready.",
        )
    if address:
        first = f"Which struct has a member at offset {address:#x}? Its pointer was NULL there."
    else:
        first = "Which pointer does the instruction use? It was NULL there."
    return first, "Look at what the caller passed, and at the error path that left it unset."
