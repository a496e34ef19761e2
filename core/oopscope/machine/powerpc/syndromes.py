"""PowerPC's interrupt vectors and DSISR in words. Follows the Power ISA, book III, 7.5, and asm/reg.h."""

from oopscope.kernel.kernel import Kernel
from oopscope.machine.common.syndromes import Syndrome, bits

TRAPS = {
    0x100: "a system reset",
    0x200: "a machine check",
    0x300: "a data access (DSI)",
    0x380: "a data access to a segment that is not there",
    0x400: "an instruction fetch (ISI)",
    0x480: "an instruction fetch from a segment that is not there",
    0x500: "an external interrupt",
    0x600: "a misaligned access",
    0x700: "a program check: a trap, an illegal or a privileged instruction",
    0x800: "floating point that is off",
    0x900: "a decrementer interrupt",
    0xC00: "a system call",
    0xD00: "a trace",
    0xE40: "an instruction to be emulated",
    0xF20: "vectors that are off",
    0xF40: "VSX that is off",
    0xF60: "a facility that is off",
    0x1800: "a soft patch",
    0x3000: "a system call (scv)",
}
DSISR = {
    0x40000000: "no translation",
    0x10000000: "not to be run, or guarded",
    0x08000000: "forbidden by protection",
    0x04000000: "not for caching-inhibited memory",
    0x02000000: "a store",
    0x00400000: "a watchpoint",
    0x00200000: "forbidden by a key",
    0x00080000: "bad page tables",
    0x00040000: "reference bits cannot be set",
}


def trap(value: int) -> str:
    """Say what an interrupt's vector means; its lowest bits are the kernel's own."""
    return TRAPS.get(value & ~0xF, "")


def dsisr(value: int) -> str:
    """Say what DSISR means for a data access."""
    return bits(value, DSISR)


MSR = {1 << 15: "interrupts on", 1 << 12: "machine checks on", 1 << 5: "code translated", 1 << 4: "data translated"}
PROBLEM, LITTLE = 1 << 14, 1


def msr(value: int) -> str:
    """Say the machine state register: who ran, what was on, in which byte order."""
    who = "a program" if value & PROBLEM else "the kernel"
    return ", ".join(filter(None, (who, bits(value, MSR), "little-endian" if value & LITTLE else "big-endian")))


def about_register(_kernel: Kernel, name: str, value: int) -> str | None:
    """Say what the registers of an exception mean in words; None of other registers."""
    words = {"msr": msr, "trap": trap, "dsisr": dsisr}.get(name)
    return words(value) or None if words is not None else None


SYNDROMES = (
    Syndrome("TRAP", r"\bTRAP: (?P<value>[0-9a-f]{3,4})\b", trap),
    Syndrome("DSISR", r"\bDSISR: (?P<value>[0-9a-f]{8,16})\b", dsisr),
)
