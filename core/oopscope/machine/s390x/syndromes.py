"""s390x's program interruption codes and PSW in words. Follows the Principles of Operation, chapters 4 and 6."""

from oopscope.kernel.kernel import Kernel
from oopscope.machine.common.syndromes import Syndrome

CODES = {
    0x01: "an operation that there is not",
    0x02: "a privileged operation",
    0x03: "an execute of an execute",
    0x04: "protection: storage that must not be used so",
    0x05: "addressing: no such storage",
    0x06: "a specification that is not allowed",
    0x07: "bad data",
    0x08: "an overflow",
    0x09: "a division by zero",
    0x0B: "a decimal division by zero",
    0x10: "a segment that is not there",
    0x11: "a page that is not there",
    0x12: "bad page tables",
    0x13: "a special operation",
    0x15: "an operand",
    0x1B: "vector processing",
    0x38: "an address beyond the space (ASCE type)",
    0x39: "a region-first table that is not there",
    0x3A: "a region-second table that is not there",
    0x3B: "a region-third table that is not there",
    0x3D: "secure storage",
    0x3E: "storage that is not secure",
    0x40: "a monitor call: where BUG() and WARN() stop",
    0x80: "a program event: a breakpoint or a step",
}
PER = 0x80  # also set beside another code
SPACES = ("primary", "access register", "secondary", "home")
DAT, IO, EXTERNAL, MACHINE_CHECK, WAIT, PROBLEM = (1 << 63 - bit for bit in (5, 6, 7, 13, 14, 15))


def code(value: int) -> str:
    """Say what a program interruption's code means."""
    return CODES.get(value & 0xFF) or CODES.get(value & 0xFF & ~PER, "")


def psw(mask: int) -> str:
    """Say what the mask of a PSW means: who ran, in which address space, what was masked."""
    who = "a program" if mask & PROBLEM else "waiting" if mask & WAIT else "the kernel"
    kinds = ((IO, "I/O"), (EXTERNAL, "external"), (MACHINE_CHECK, "machine check"))
    masked = [name for bit, name in kinds if not mask & bit]
    space = f"{SPACES[mask >> 46 & 3]} space" if mask & DAT else "real addresses"
    return f"{who}, {space}, condition code {mask >> 44 & 3}" + (f"; masked: {', '.join(masked)}" if masked else "")


def about_register(_kernel: Kernel, name: str, value: int) -> str | None:
    """Say the mask of a PSW in words; None of other registers."""
    return psw(value) if name == "psw_mask" else None


SYNDROMES = (Syndrome("program interruption", r": (?P<value>[0-9a-f]{4}) (?:ilc:\d )?\[#\d+\]", code),)
