"""The cause of an exception (scause) of riscv64 in words. Follows the privileged specification, 10.1.8."""

from oopscope.kernel.kernel import Kernel
from oopscope.machine.common.syndromes import Syndrome

INTERRUPT = 1 << 63
CAUSES = {
    0: "a misaligned instruction address",
    1: "an instruction fetch that memory refused",
    2: "an illegal instruction",
    3: "a breakpoint (EBREAK)",
    4: "a misaligned load",
    5: "a load that memory refused",
    6: "a misaligned store or atomic instruction",
    7: "a store or atomic instruction that memory refused",
    8: "a system call of a program",
    9: "a call of the kernel to the firmware",
    12: "an instruction fetch from a page that is not there or must not be run",
    13: "a load from a page that is not there or must not be read",
    15: "a store or atomic instruction to a page that is not there or must not be written",
    18: "a software check: a jump or a return that must not be",
    19: "a hardware error",
}
INTERRUPTS = {1: "a software interrupt", 5: "a timer interrupt", 9: "an external interrupt"}


def words(value: int) -> str:
    """Say what a cause means."""
    return INTERRUPTS.get(value - INTERRUPT, "an interrupt") if value & INTERRUPT else CAUSES.get(value, "")


SPIE, SPP, SUM = 1 << 5, 1 << 8, 1 << 18  # of sstatus, as an exception saved it


def status(value: int) -> str:
    """Say sstatus: who was interrupted, whether interrupts were on, whether a program's memory could be used."""
    who = "the kernel" if value & SPP else "a program"
    return f"{who}, interrupts {'on' if value & SPIE else 'off'}" + (", a program's memory open" if value & SUM else "")


def about_register(_kernel: Kernel, name: str, value: int) -> str | None:
    """Say what the registers of an exception mean in words; None of other registers."""
    told = {"cause": words, "status": status}.get(name)
    return told(value) or None if told is not None else None


SYNDROMES = (Syndrome("cause", r"\bcause: (?P<value>[0-9a-f]{8,16})\b", words),)
