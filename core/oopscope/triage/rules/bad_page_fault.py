"""The kernel used an address that nothing maps, or not as its page allows. Follows arch/*/mm/fault.c."""

from oopscope.triage.death import Death
from oopscope.triage.faults import (
    PAGE,
    PRESENT,
    WRITE,
    bad_call,
    below_zero,
    executed,
    fault_address,
    fault_registers,
    memory_fault,
    null_pointer,
    page_fault_code,
)
from oopscope.triage.finding import Confidence, Verdict
from oopscope.triage.gone_module import gone_module
from oopscope.triage.said import said as of_processor

READ_ONLY = r"read-only memory|write to read-only|permissions? violation|Write protection|protection exception"


def check(death: Death) -> Verdict | None:
    """Fire on the fault handler's own words."""
    said = memory_fault(death)
    if said is None:
        return _without_its_words(death)
    if "general protection" in said[0].text or null_pointer(death) is not None:
        return None
    faulted = fault_address(death)
    evidence = [death.from_log(said[0])]
    for words in (r"BUG: unable to handle", r"#PF: error_code"):
        access = death.in_oops(words)
        if access and access[0] != said[0]:
            evidence.append(death.from_log(access[0]))
    called = bad_call(death)
    place = called or death.where
    gone, told = gone_module(death, faulted)
    evidence += told
    verb = "called a function through" if called else "used"
    sure: Confidence = "likely" if called is not None and not called.reliable else "certain"
    code = below_zero(death)
    if faulted is None:
        sure = "possible"
        pointer = "a bad pointer, NULL or wild, whose address the log does not tell"
    elif code is not None:
        pointer = f"{code} ({faulted:#x})"
    else:
        pointer = f"the wild pointer {faulted:#x}, {_why(death, faulted)}"
    return death.verdict(
        "software",
        "bad-page-fault",
        "Bad pointer",
        f"{place} {verb} {pointer}{gone}, {death.by}.",
        sure,
        evidence,
        _steps(code),
        culprit=called,
    )


def _without_its_words(death: Death) -> Verdict | None:
    """Judge an oops cut off before its words, by what die() hands to panic(): of arm's and arm64's faults `Oops`."""
    report = death.cause
    if death.oops is not None or report is None or report.kind != "stack" or report.pc is None:
        return None
    if death.panic is None or (death.panic_message or "") != "Oops: Fatal exception":
        return None
    return death.verdict(
        "software",
        "bad-page-fault",
        "Bad pointer",
        f"{death.where} used a bad pointer, NULL or wild: the log lacks the lines that tell its address.",
        "possible",
        [death.from_log(death.lines[report.row]), death.from_log(death.lines[death.panic.row])],
        ("Look for the beginning of the log: the lines before these tell the address.",),
    )


def _steps(code: str | None) -> tuple[str, str]:
    """Return what to look at: of an error code the call that returned it."""
    if code is not None:
        return (
            "Which call returned an error there? Its result was used without a look at IS_ERR().",
            "The error itself may be the deeper cause: see what the log says before it.",
        )
    return (
        "Look at where the pointer was loaded from: freed, overwritten or never set?",
        "An address near vmalloc or a module suggests something that was unmapped or unloaded.",
    )


def _why(death: Death, address: int | None) -> str:
    """Say what was wrong with the page: by the handler's words, before 5.1 by the error code alone."""
    code = page_fault_code(death)
    forbidden = death.in_oops(r"permissions? violation|read-only memory") is not None or bool(
        code is not None and code & 1
    )
    if executed(death):
        if code is not None and not code & PRESENT:
            return "where nothing is mapped"
        program = death.in_oops(r"execute user page") or (address is not None and 0 < address < 1 << 47)
        return "which belongs to a program" if program else "which is data and holds no code (NX)"
    wide = code is not None and "rax" in fault_registers(death)  # of 64 bits: its kernel has the upper half
    program = wide and address is not None and PAGE <= address < 1 << 47
    if not forbidden and program:
        return "which is an address of a program"
    if death.in_oops(r"user memory outside uaccess"):
        return "which belongs to a program"
    if not forbidden:
        return _not_mapped(death) if death.in_oops(READ_ONLY) is None else "which is read-only"
    if death.in_oops(r"user address|SMAP|SMEP|user page") or (address is not None and 0 < address < 1 << 47):
        return "which belongs to a program"
    wrote = death.in_oops(r"write access|write to read-only") is not None or bool(code and code & WRITE)
    return "which is read-only" if wrote else "which it may not use so"


def _not_mapped(death: Death) -> str:
    """Say that nothing is mapped there, unless the processor itself says that something else was wrong."""
    told = " ".join(evidence.text for evidence in of_processor(death))
    if "alignment fault" in told:
        return "which is not aligned as the instruction needs it"
    return "from which memory or a device did not answer" if "external abort" in told else "which is not mapped"
