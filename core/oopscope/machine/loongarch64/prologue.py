"""What a LoongArch function's first instructions do to the stack, for kernels without ORC tables.

Follows arch/loongarch/kernel/unwind_prologue.c, and what GCC and clang make of a function's head. A function that makes
room by an amount that only its run tells (alloca) keeps in fp where its caller's stack pointer was.
"""

from typing import NamedTuple

from oopscope.kernel.kernel import Kernel
from oopscope.machine.loongarch64.code import signed

MAX_PROLOGUE = 8192  # bytes of a function that are looked at
SP, FP, RA = 3, 22, 1
RETURN = 0x4C000020  # jr ra


class Frame(NamedTuple):
    """How to find the caller: the bytes between both stack pointers, where ra and fp lie, from the caller's."""

    size: int
    ra: int | None
    fp: int | None
    by_fp: bool  # the caller's stack pointer is in fp


class _Head:
    """The instructions of a function's head, one after the other."""

    def __init__(self) -> None:
        self.size, self.ra, self.fp, self.by_fp = 0, None, None, False
        self._constants: dict[int, int] = {0: 0}

    ra: int | None
    fp: int | None

    def takes(self, word: int) -> bool:
        """Take an instruction in; False where the head ends with it."""
        to, of = word & 31, word >> 5 & 31
        number = signed(word >> 10 & 0xFFF, 12)
        if word >> 22 == 0xB:  # addi.d
            self._added(to, of, number)
        elif word >> 22 == 0xA7 and of == SP and self.size:  # st.d
            self._saved(to, number)
        elif word >> 24 == 0x27 and of == SP and self.size:  # stptr.d
            self._saved(to, signed(word >> 10 & 0x3FFF, 14) << 2)
        elif word >> 15 in (0x21, 0x23) and to == of == SP:  # add.d, sub.d
            by = self._constants.get(word >> 10 & 31)
            self.size += 0 if by is None else by if word >> 15 == 0x23 else -by
        elif word >> 25 == 0xA:  # lu12i.w
            self._constants[to] = signed(word >> 5 & 0xFFFFF, 20) << 12
        elif word >> 22 == 0xE and of in self._constants:  # ori
            self._constants[to] = self._constants[of] | word >> 10 & 0xFFF
        return not (self.size and 0x10 <= word >> 26 <= 0x1B)  # a branch or a call

    def _added(self, to: int, of: int, number: int) -> None:
        if to == of == SP and number < 0:
            self.size -= number
        elif to == FP and of == SP and self.size:
            self.by_fp = number == self.size
        elif of in self._constants and to not in (0, SP):
            self._constants[to] = self._constants[of] + number

    def _saved(self, register: int, offset: int) -> None:
        if register == RA and self.ra is None:
            self.ra = offset - self.size
        elif register == FP and self.fp is None:
            self.fp = offset - self.size


def frame_of(kernel: Kernel, function: int, pc: int, interrupted: bool) -> Frame:
    """Return what a function did to the stack by the time that it is at pc; ReadError where its code is missing.

    interrupted: pc is not where a call returns to, so that the function may be about to return.
    """
    code = kernel.memory.read(function, min(max(pc - function, 0), MAX_PROLOGUE) & -4)
    words = [int.from_bytes(code[at : at + 4], "little") for at in range(0, len(code), 4)]
    if interrupted and words and words[-1] & 0xFFE003FF == 0x02C00063 and kernel.memory.u32(pc) == RETURN:
        return Frame(0, None, None, False)
    head = _Head()
    for word in words:
        if not head.takes(word):
            break
    return Frame(head.size, head.ra, head.fp, head.by_fp)
