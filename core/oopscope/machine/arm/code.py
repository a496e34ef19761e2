"""What ARM's instructions tell: calls. Each is one word; those of Thumb are not read."""

from oopscope.kernel.kernel import Kernel
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.calls import returns_here, word_at

_BRANCH = lazy_re(r"^b(?:l|x|lx)?(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?$")
_ADDRESS = lazy_re(r"#?(0x[0-9a-f]+)$")


def call_target(kernel: Kernel, address: int) -> int | None:
    """Return what the direct call (bl) before an address calls; None for no such call."""
    word = word_at(kernel, address - 4)
    if word is None or word & 0x0F000000 != 0x0B000000 or word >> 28 == 15:
        return None
    return (address + 4 + ((word & 0xFFFFFF) << 2) - ((word & 0x800000) << 3)) % kernel.memory.top


def follows_call(kernel: Kernel, address: int, callee: str | None = None) -> bool:
    """Tell whether the instruction before an address can be a call: bl or blx.

    callee: the function whose frame lies within.
    """
    if address % 4:
        return False
    word = word_at(kernel, address - 4)
    indirect = word is not None and word & 0x0FFFFFF0 == 0x012FFF30
    return returns_here(kernel, address, call_target(kernel, address), indirect, callee)


def target(kernel: Kernel, _after: int, mnemonic: str, operands: str) -> int | None:
    """Return where a branch goes."""
    found = _ADDRESS.search(operands) if _BRANCH.match(mnemonic) else None
    return int(found[1], 16) % kernel.memory.top if found else None


def jumps(mnemonic: str) -> bool:
    """Tell whether a mnemonic is a branch's that is no call."""
    return (bool(_BRANCH.match(mnemonic)) and not mnemonic.startswith("bl")) or mnemonic in ("blt", "bls", "ble", "blo")


def whole(name: str) -> str:
    """Return a register by the name that a crash note has for it."""
    return {"r11": "fp", "r12": "ip", "r13": "sp", "r14": "lr", "r15": "pc", "sb": "r9", "sl": "r10"}.get(name, name)
