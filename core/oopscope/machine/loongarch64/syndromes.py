"""The cause of an exception (CSR.ESTAT) of LoongArch in words. Follows the reference manual, volume 1, 6.2.2, 7.4.5."""

from oopscope.kernel.kernel import Kernel
from oopscope.machine.common.syndromes import Syndrome

CODES = {
    1: "a load from a page that is not there",
    2: "a store to a page that is not there",
    3: "an instruction fetch from a page that is not there",
    4: "a store to a page that must not be written",
    5: "a load from a page that must not be read",
    6: "an instruction fetch from a page that must not be run",
    7: "a page that its mode must not use",
    8: "a wrong address",
    9: "a misaligned address",
    10: "an address out of checked bounds",
    11: "a system call of a program",
    12: "a breakpoint (BREAK)",
    13: "an illegal instruction",
    14: "an instruction that its mode must not run",
    15: "floating point, which was switched off",
    16: "vectors (LSX), which were switched off",
    17: "vectors (LASX), which were switched off",
    18: "a floating-point exception",
    19: "a watchpoint",
    20: "binary translation, which was switched off",
}
WRONG_ADDRESS, FETCH = 8, "an instruction fetch from a wrong address"
PLV, PIE = 3, 1 << 2  # of prmd: who was interrupted, whether interrupts were on


def words(value: int) -> str:
    """Say what ESTAT means: the code in bits 16 to 21, more of it in bits 22 to 30; an interrupt where that is 0."""
    code, more = value >> 16 & 0x3F, value >> 22 & 0x1FF
    if not code:
        return "an interrupt" if value & 0x1FFF else ""
    return FETCH if code == WRONG_ADDRESS and not more else CODES.get(code, "")


def mode(value: int) -> str:
    """Say CSR.PRMD: who was interrupted, whether interrupts were on."""
    return f"{'a program' if value & PLV else 'the kernel'}, interrupts {'on' if value & PIE else 'off'}"


def about_register(_kernel: Kernel, name: str, value: int) -> str | None:
    """Say what the registers of an exception mean in words; None of other registers."""
    told = {"estat": words, "prmd": mode}.get(name)
    return told(value) or None if told is not None else None


SYNDROMES = (Syndrome("estat", r"\bESTAT: (?P<value>[0-9a-f]{8,16})\b", words),)
