"""What arm64's instructions tell: calls, where a function has made its frame, what an instruction names.

Follows the Arm ARM, C4 (A64 encodings). Every instruction is one 32-bit word, little-endian whatever data is.
"""

import struct

from oopscope.errors import OopscopeError
from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Flow
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.calls import returns_here

MAX_PROLOGUE = 64 << 10  # bytes of a function that are looked through
RET = (0xD65F03C0, 0xD65F0BFF, 0xD65F0FFF)  # ret, retaa, retab
FLOW = Flow(
    calls=("bl", "blr", "blraa", "blrab", "blraaz", "blrabz"),
    jumps=("b", "b.*", "bc.*", "cbz", "cbnz", "tbz", "tbnz"),
    ends=("b", "br", "braa", "brab", "braaz", "brabz", "ret", "retaa", "retab", "eret*", "udf"),
    copies=("mov",),
    moves=("mov", "movz", "sxtw", "uxtw"),
    loads=("ldr*", "ldur*", "ldtr*", "ldar*", "ldxr*", "ldaxr*", "ldapr*"),
    zeroes=(),
    zero=("xzr", "wzr"),
    landing=4,  # BTI
)
_BRANCH = lazy_re(r"^(?:b|bl|b\..+|bc\..+|cbn?z|tbn?z)$")
_LAST = lazy_re(r"#?(0x[0-9a-f]+)$")


def word_at(kernel: Kernel, address: int) -> int | None:
    """Return the instruction at an address; None where it cannot be read."""
    try:
        return int.from_bytes(kernel.memory.read(address, 4), "little")
    except OopscopeError:
        return None


def call_target(kernel: Kernel, address: int) -> int | None:
    """Return what the direct call (BL) before an address calls; None for no such call."""
    word = word_at(kernel, address - 4)
    if word is None or word & 0xFC000000 != 0x94000000:
        return None
    distance = (word & 0x3FFFFFF) - ((word & 0x2000000) << 1)
    return (address - 4 + 4 * distance) % kernel.memory.top


def follows_call(kernel: Kernel, address: int, callee: str | None = None) -> bool:
    """Tell whether the instruction before an address is a call: BL to code, or BLR in any of its forms.

    callee: the function whose frame lies within.
    """
    if address % 4:
        return False
    word = word_at(kernel, address - 4)
    if word is None:
        return False
    return returns_here(kernel, address, call_target(kernel, address), word & 0xFEFFF000 == 0xD63F0000, callee)


def has_frame(kernel: Kernel, function: int, pc: int) -> bool:
    """Tell whether a function has made its frame record by the time that it is at pc.

    It has from where x29 is set to it up to where x29 and x30 are loaded again. What stands behind a return or a jump
    away belongs to another path, on which the record is there.
    """
    if not 0 <= pc - function <= MAX_PROLOGUE:
        return True
    try:
        code = kernel.memory.read(function, (pc - function) & -4)
    except OopscopeError:
        return True
    made = now = False
    for (word,) in struct.iter_unpack("<I", code):
        if word & 0xFFC003FF == 0x910003FD:  # add x29, sp, #n; mov x29, sp
            made = now = True
        elif word & 0xFFC07FFF in (0xA8C07BFD, 0xA9407BFD):  # ldp x29, x30, [sp], #n; ldp x29, x30, [sp, #n]
            now = False
        elif word in RET or word & 0xFC000000 == 0x14000000:
            now = made
    return now


def target(kernel: Kernel, _after: int, mnemonic: str, operands: str) -> int | None:
    """Return the address that an instruction names: where it branches, or what adr and adrp make."""
    if not _BRANCH.match(mnemonic) and mnemonic not in ("adr", "adrp"):
        return None
    found = _LAST.search(operands)
    return int(found[1], 16) % kernel.memory.top if found else None


def jumps(mnemonic: str) -> bool:
    """Tell whether a mnemonic is a branch's that is no call."""
    return mnemonic != "bl" and bool(_BRANCH.match(mnemonic))


def whole(name: str) -> str:
    """Return the 64-bit register that a part of it is: x0 for w0; by the names of a crash note, so x29 for fp."""
    if name[:1] == "w" and name[1:].isdigit():
        return f"x{name[1:]}"
    return {"fp": "x29", "lr": "x30", "wsp": "sp"}.get(name, name)
