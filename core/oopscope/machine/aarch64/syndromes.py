"""The exception syndrome of arm64 (ESR_EL1) in words. Follows the Arm ARM, D24.2 "ESR_EL1", and its ISS encodings."""

from oopscope.machine.common.syndromes import Syndrome

CLASSES = {
    0x00: "an undefined instruction",
    0x07: "a trapped SIMD or floating-point instruction",
    0x0D: "a branch to where none may land (BTI)",
    0x0E: "an illegal execution state",
    0x15: "a system call",
    0x18: "a trapped system instruction",
    0x1C: "a pointer whose authentication failed (FPAC)",
    0x20: "an instruction fetch of a program",
    0x21: "an instruction fetch of the kernel",
    0x22: "a misaligned program counter",
    0x24: "a data access of a program",
    0x25: "a data access of the kernel",
    0x26: "a misaligned stack pointer",
    0x27: "a memory copy or set that was moved",
    0x2D: "a guarded control stack",
    0x2F: "an SError: an asynchronous error of memory or a device",
    0x30: "a breakpoint in a program",
    0x31: "a breakpoint",
    0x32: "a step in a program",
    0x33: "a step",
    0x34: "a watchpoint in a program",
    0x35: "a watchpoint",
    0x3C: "a BRK instruction",
}
ABORTS = (0x20, 0x21, 0x24, 0x25)
FETCHES = (0x20, 0x21)
# By the upper four bits of the fault status: those that name a level in the lower two.
LEVELS = {0: "address size fault", 1: "translation fault", 2: "access flag fault", 3: "permission fault"}
STATUS = {
    0x10: "synchronous external abort",
    0x11: "memory tag check fault",
    0x18: "parity or ECC error",
    0x21: "alignment fault",
    0x29: "address size fault, level -1",
    0x2B: "translation fault, level -1",
    0x30: "TLB conflict",
    0x34: "locked down",
    0x35: "exclusive or atomic access that this memory does not support",
}
WRITES, CACHE = 1 << 6, 1 << 8  # of the syndrome of a data abort: WnR, CM


def words(value: int) -> str:
    """Say what an ESR means."""
    kind, told = value >> 26 & 0x3F, value & 0x1FFFFFF
    said = CLASSES.get(kind)
    if said is None:
        return ""
    if kind == 0x3C:
        return f"{said}, number {told & 0xFFFF:#x}"
    if kind not in ABORTS:
        return said
    status = told & 0x3F
    walk = "the page tables' walk: " if 0x14 <= status <= 0x17 or 0x1C <= status <= 0x1F else ""
    if status < 0x10:
        fault = f"{LEVELS[status >> 2]}, level {status & 3}"
    elif walk:
        fault = f"{walk}{STATUS[status & 0x1C & ~4]}, level {status & 3}"
    else:
        fault = STATUS.get(status, f"fault status {status:#x}")
    how = "" if kind in FETCHES else ", a cache operation" if told & CACHE else ", write" if told & WRITES else ", read"
    return f"{said}{how}: {fault}"


SYNDROMES = (
    Syndrome("ESR", r"^\s*ESR = 0x(?P<value>[0-9a-f]{8,16})\b", words),
    Syndrome("ESR", r"^Internal error: .*: (?P<value>[0-9a-f]{8,16}) \[#\d+\]", words),
)
