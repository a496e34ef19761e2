"""The kernel used an address that nothing maps. Follows arch/x86/mm/fault.c (show_fault_oops)."""

from oopscope.triage.death import Death
from oopscope.triage.faults import bad_call
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
    address = f" {int(said[1][1], 16):#x}" if said[1][1] else ""
    evidence = [death.from_log(said[0])]
    access = death.in_oops(r"#PF: ", 8)
    if access:
        evidence.append(death.from_log(access[0]))
    called = bad_call(death)
    place = called or death.where
    verb = "called a function through the wild pointer" if called else "used the wild pointer"
    return death.verdict(
        "software",
        "bad-page-fault",
        "Bad pointer: unmapped kernel address",
        f"{place} {verb}{address}, which is not mapped, run by {death.who}.",
        "certain",
        evidence,
        (
            "Look at where the pointer was loaded from: freed, overwritten or never set?",
            "An address near vmalloc or a module suggests something that was unmapped or unloaded.",
        ),
        culprit=called,
    )
