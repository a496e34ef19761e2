"""The registers that an entry saved (struct pt_regs), and what those of them mean that are no addresses.

Follows arch/arm64/include/asm/ptrace.h. Offsets are the types' own where there are any; they have not moved since 4.10.
"""

from collections.abc import Mapping
from typing import NamedTuple

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.stack import Stack

MAX_STACKS = 64  # overflow stacks that are searched for saved registers
EL0 = 0  # PSTATE.M: a program
EL1 = {4: "EL1t", 5: "EL1h", 8: "EL2t", 9: "EL2h"}
FLAGS = {31: "N", 30: "Z", 29: "C", 28: "V"}
MASKS = {9: "debug", 8: "SError", 7: "IRQ", 6: "FIQ"}


class PtRegs(NamedTuple):
    """Where the members of struct pt_regs lie, in bytes, and its size."""

    regs: int
    sp: int
    pc: int
    pstate: int
    stackframe: int
    size: int


USUAL = PtRegs(0, 248, 256, 264, 304, 336)


def pt_regs(kernel: Kernel) -> PtRegs:
    """Return the layout of struct pt_regs."""
    try:
        types = kernel.types
        offsets = [types.member("pt_regs", name).offset for name in PtRegs._fields[:-1]]
        return PtRegs._make([*offsets, types.sizeof("pt_regs")])
    except OopscopeError:
        return USUAL


def registers_at(kernel: Kernel, address: int) -> dict[str, int]:
    """Return the registers of a struct pt_regs, by the names that a crash note has for them."""
    layout, memory = kernel.cached(pt_regs), kernel.memory
    found = {f"x{n}": value for n, value in enumerate(memory.words(address + layout.regs, 31))}
    return found | {name: memory.word(address + getattr(layout, name)) for name in ("sp", "pc", "pstate")}


def in_user(registers: Mapping[str, int]) -> bool:
    """Tell by PSTATE's exception level whether a CPU ran a program."""
    return registers.get("pstate", 1) & 0xF == EL0


def strip(kernel: Kernel, address: int) -> int:
    """Return a code address without what pointer authentication put into its upper bits (KERNELPACMASK, 5.8)."""
    mask = kernel.info.number("KERNELPACMASK")
    return address | mask if mask and address >> 55 & 1 else address


def saved_registers(kernel: Kernel, pc: int, sp: int) -> dict[str, int] | None:
    """Return what an exception's entry saved for an interrupted (pc, sp): right below sp, else on an overflow stack."""
    layout = kernel.cached(pt_regs)
    places = [sp - layout.size]
    stacks = [s for own in kernel.cached(kernel.machine.stacks_by_cpu).values() for s in own if s.kind == "exception"]
    for stack in stacks[:MAX_STACKS]:
        places += _places(kernel, stack, pc, layout)
    for place in places:
        try:
            found = registers_at(kernel, place)
        except OopscopeError:
            continue
        if found["pc"] == pc and found["sp"] == sp:
            return found
    return None


def _places(kernel: Kernel, stack: Stack, pc: int, layout: PtRegs) -> list[int]:
    try:
        words = kernel.memory.words(stack.start, (stack.end - stack.start) // 8)
    except OopscopeError:
        return []
    return [stack.start + 8 * i - layout.pc for i, word in enumerate(words) if word == pc]


def about_register(_kernel: Kernel, name: str, value: int) -> str | None:
    """Say PSTATE in words; None of other registers."""
    if name != "pstate":
        return None
    flags = "".join(letter if value >> bit & 1 else letter.lower() for bit, letter in FLAGS.items())
    level = "EL0, a program" if not value & 0xF else EL1.get(value & 0xF, "an unknown level")
    masked = [what for bit, what in MASKS.items() if value >> bit & 1]
    return f"{flags}, {level}" + (f"; masked: {', '.join(masked)}" if masked else "")
