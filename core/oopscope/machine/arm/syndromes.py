"""ARM's fault status (DFSR and IFSR) and cpsr in words. Follows the Arm ARM for ARMv7-A, B3.13 and B4.1."""

from oopscope.kernel.kernel import Kernel
from oopscope.machine.common.syndromes import Syndrome

MODES = {
    0x10: "a program",
    0x11: "FIQ",
    0x12: "IRQ",
    0x13: "the kernel",
    0x17: "abort",
    0x1A: "HYP",
    0x1B: "undefined",
    0x1F: "system",
}
FLAGS = {31: "N", 30: "Z", 29: "C", 28: "V"}
MASKS = {8: "asynchronous aborts", 7: "IRQ", 6: "FIQ"}
LPAE, WRITE = 1 << 9, 1 << 11
SHORT = {
    0x01: "a misaligned access",
    0x05: "no translation by a section",
    0x07: "no translation by a page",
    0x03: "an access flag that is not set (section)",
    0x06: "an access flag that is not set (page)",
    0x09: "a domain that forbids it (section)",
    0x0B: "a domain that forbids it (page)",
    0x0D: "no permission (section)",
    0x0F: "no permission (page)",
    0x02: "a breakpoint or watchpoint",
    0x08: "an external abort",
    0x16: "an asynchronous external abort",
}
LONG = {0x04: "no translation", 0x08: "an access flag that is not set", 0x0C: "no permission"}
LONG_OTHERS = {
    0x10: "an external abort",
    0x11: "an asynchronous external abort",
    0x21: "a misaligned access",
    0x22: "a breakpoint or watchpoint",
}


def fsr(value: int) -> str:
    """Say what a fault status means: of which kind, at which level, and whether it was a write."""
    if value & LPAE:
        status = value & 0x3F
        words = LONG_OTHERS.get(status) or (
            f"{LONG[status & 0x3C]} at level {status & 3}" if status & 0x3C in LONG else ""
        )
    else:
        words = SHORT.get(value & 0xF | value >> 6 & 0x10, "")
    return f"{words}, a {'write' if value & WRITE else 'read'}" if words else ""


def cpsr(value: int) -> str:
    """Say the processor's state: flags, mode, what is masked, and which instructions it runs."""
    flags = "".join(letter if value >> bit & 1 else letter.lower() for bit, letter in FLAGS.items())
    masked = [what for bit, what in MASKS.items() if value >> bit & 1]
    thumb = ", Thumb instructions" if value >> 5 & 1 else ""
    return f"{flags}, {MODES.get(value & 0x1F, 'an unknown mode')}{thumb}" + (
        f"; masked: {', '.join(masked)}" if masked else ""
    )


def about_register(_kernel: Kernel, name: str, value: int) -> str | None:
    """Say cpsr in words; None of other registers."""
    return cpsr(value) if name == "cpsr" else None


SYNDROMES = (Syndrome("FSR", r"^Internal error: Oops: (?P<value>[0-9a-f]+) \[#", fsr),)
