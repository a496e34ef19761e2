"""The kernel used an address that nothing maps. Follows arch/x86/mm/fault.c (show_fault_oops)."""

from oopscope.triage.death import Death
from oopscope.triage.faults import bad_call, fault_address
from oopscope.triage.finding import Verdict

SAID = (
    r"BUG: unable to handle (?:page fault for address|kernel paging request)"
    r"(?:: | at )?(?:virtual address )?(?:0x)?([0-9a-f]+)"
    r"|kernel tried to execute (?:NX-protected|user) page"
)


def check(death: Death) -> Verdict | None:
    """Fire on the fault handler's own words."""
    said = death.in_oops(SAID)
    if said is None:
        return None
    faulted = fault_address(death)
    address = f" {faulted:#x}" if faulted is not None else ""
    evidence = [death.from_log(said[0])]
    access = death.in_oops(r"#PF: error_code")
    if access:
        evidence.append(death.from_log(access[0]))
    called = bad_call(death)
    place = called or death.where
    verb = "called a function through the wild pointer" if called else "used the wild pointer"
    why = _why(access[0].text if access else "", death)
    return death.verdict(
        "software",
        "bad-page-fault",
        "Bad pointer",
        f"{place} {verb}{address}, {why}, run by {death.who}.",
        "certain",
        evidence,
        (
            "Look at where the pointer was loaded from: freed, overwritten or never set?",
            "An address near vmalloc or a module suggests something that was unmapped or unloaded.",
        ),
        culprit=called,
    )


def _why(access: str, death: Death) -> str:
    """Say what was wrong with the page, by the error code's words; before 5.1 they are not printed."""
    if "permissions violation" not in access:
        return "which is not mapped"
    if death.in_oops(r"NX-protected|instruction fetch"):
        return "which holds no code"
    if death.in_oops(r"user address|execute user page|SMAP|SMEP|user page") or (fault_address(death) or 0) >> 63 == 0:
        return "which belongs to a program"
    return "which is read-only" if death.in_oops(r"write access") else "which it may not use so"
