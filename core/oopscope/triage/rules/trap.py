"""A trap that kernel code must not raise: int3, a stack segment, alignment, bounds. Follows arch/x86/kernel/traps.c."""

import re

from oopscope.lazy_re import lazy_re
from oopscope.machine.common.wordings import FaultKind
from oopscope.triage.death import Death, Line
from oopscope.triage.finding import Verdict
from oopscope.triage.wording import fault_of

NAMES = {
    "int3": "an unexpected breakpoint (int3)",
    "debug": "an unexpected debug exception",
    "stack segment": "a stack segment fault",
    "alignment check": "an alignment check",
    "bounds": "a bounds check",
    "overflow": "an overflow trap",
    "segment not present": "a segment that is not present",
    "invalid TSS": "an invalid task segment",
    "coprocessor segment overrun": "a coprocessor segment overrun",
    "iret exception": "a return to an invalid frame (iret)",
    "spurious interrupt bug": "a spurious floating-point interrupt",
    "SIMD exception": "a SIMD exception",
    "simd exception": "a SIMD exception",
    "fpu exception": "a floating-point exception",
    "specification exception": "a specification exception",
    "Internal error: Oops - SP/PC alignment exception": "a misaligned stack or program counter",
    "Unhandled fault: alignment exception": "an alignment fault",
    "Internal error: SP/PC alignment exception": "a misaligned stack or program counter",
    "Unhandled kernel unaligned access": "an access to an address that is not aligned",
    "Bad kernel stack pointer": "a stack pointer that is none of the kernel's",
    "Unrecoverable FP Unavailable Exception": "a floating-point instruction where the kernel must not use any",
    "Unrecoverable VMX/Altivec Unavailable Exception": "a vector instruction where the kernel must not use any",
    "Unrecoverable VSX Unavailable Exception": "a vector instruction where the kernel must not use any",
    "Unrecoverable exception": "an exception that it cannot return from",
}
SAID = lazy_re(rf"^(?:Oops: )?(?P<name>{'|'.join(map(re.escape, NAMES))})\b[^\[]*(?:\[#\d+\]|\(0x)")
KINDS: dict[FaultKind, str] = {
    "alignment": "an access to an address that is not aligned",
    "breakpoint": "an unexpected breakpoint",
}
STEPS = {
    "int3": "Code that is patched while it runs (static keys, ftrace, kprobes): who patched this function just then?",
    "stack segment": "A non-canonical stack or frame pointer: what loaded it?",
}


def check(death: Death) -> Verdict | None:
    """Fire on the oops's own line."""
    said = death.in_oops(SAID)
    if said is None:
        return _of_machine(death)
    return _verdict(death, said[0], said[1]["name"], NAMES[said[1]["name"]])


def _of_machine(death: Death) -> Verdict | None:
    """Judge what a machine's own words call such a trap."""
    for kind, words in KINDS.items():
        said = fault_of(death, kind)
        if said is not None:
            return _verdict(death, said[0], kind, words)
    return None


def _verdict(death: Death, line: Line, name: str, words: str) -> Verdict:
    return death.verdict(
        "software",
        "trap",
        f"Trap: {name}",
        f"{death.where_stood} met {words}, {death.by}.",
        "certain",
        [death.from_log(line)],
        (STEPS.get(name, "Look at the instruction, and at what its operands held."),),
        culprit=death.fault_frame,
    )
