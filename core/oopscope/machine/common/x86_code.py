"""What the bytes of x86's instructions tell, in 32 and 64 bits: calls, what an instruction names, how it is shown."""

import re

from oopscope.kernel.kernel import Kernel
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.calls import code_before, returns_here

MAX_CALL, INDIRECT_CALLS = 7, (2, 3, 4, 6, 7)  # bytes of a call, any prefix left out
BRANCHES = ("call", "j", "loop")
_RELATIVE = lazy_re(r"(-?0x[0-9a-f]+|-?\d+)\(%rip\)")
_IMMEDIATE = lazy_re(r"\$(-?0x[0-9a-f]+|-?\d+)")
_ABSOLUTE = lazy_re(r"%gs:(0x[0-9a-f]+)(?=,|$)")


def follows_call(kernel: Kernel, address: int, callee: str | None = None) -> bool:
    """Tell whether the instruction before an address can be a call, so that the address may be one to return to.

    callee: the function whose frame lies within.
    """
    code = code_before(kernel, address, MAX_CALL)
    if code is None:
        return False
    target = call_target(kernel, address) if code[-5] == 0xE8 else None
    indirect = any(_is_indirect_call(code[-n:]) for n in INDIRECT_CALLS)
    return returns_here(kernel, address, target, indirect, callee)


def _is_indirect_call(code: bytes) -> bool:
    """Tell whether bytes are one call through a register or memory (FF /2): as long as its ModRM and SIB say."""
    if code[0] != 0xFF or code[1] & 0x38 != 0x10:
        return False
    mod, rm = code[1] >> 6, code[1] & 7
    if mod == 3:
        return len(code) == 2
    with_sib = rm == 4
    if with_sib and len(code) < 3:
        return False
    base = code[2] & 7 if with_sib else rm
    displacement = (4 if base == 5 else 0, 1, 4)[mod]
    return len(code) == 2 + with_sib + displacement


def call_target(kernel: Kernel, address: int) -> int | None:
    """Return what the direct call (E8 rel32) before an address calls; None for no such call."""
    code = code_before(kernel, address, 5)
    if code is None:
        return None
    distance = int.from_bytes(code[1:], "little", signed=True)
    return (address + distance) % kernel.memory.top if code[0] == 0xE8 else None


def target(kernel: Kernel, after: int, mnemonic: str, operands: str) -> int | None:
    """Return the address that an instruction names: where it jumps, or what it reads relative to itself."""
    if mnemonic.startswith(BRANCHES) and operands.startswith("0x"):
        return int(operands, 16)
    relative = _RELATIVE.search(operands)
    if relative is not None:
        return (after + int(relative[1], 0)) % kernel.memory.top
    per_cpu = _ABSOLUTE.search(operands)
    if per_cpu is not None:
        return int(per_cpu[1], 16)
    immediate = _IMMEDIATE.search(operands)
    value = int(immediate[1], 0) % kernel.memory.top if immediate else 0
    return value if value >> kernel.arch.bits - 31 == (1 << 31) - 1 and -value % kernel.memory.top > 1 << 20 else None


def jumps(mnemonic: str) -> bool:
    """Tell whether a mnemonic is a jump's."""
    return mnemonic.startswith("j")


def per_cpu(operands: str) -> bool:
    """Tell whether an operand is relative to the CPU's own area."""
    return "%gs:" in operands


def shown(operands: str) -> str:
    """Return operands with their immediate numbers in hexadecimal, but for small ones."""
    return _IMMEDIATE.sub(_hex, operands)


def _hex(found: "re.Match[str]") -> str:
    value = int(found[1], 0)
    return f"${value:#x}" if abs(value) > 9 else f"${value}"
