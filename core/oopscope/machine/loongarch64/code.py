"""What loongarch64's instructions tell: calls, and what an instruction names. All are four bytes long."""

from oopscope.kernel.kernel import Kernel
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.calls import code_before, returns_here, word_at

RA = 1
_HEX = lazy_re(r"(0x[0-9a-f]+)$")
_BRANCH = lazy_re(r"^(?:b|bl|b(?:eq|ne|lt|ge|ltu|geu)z?)$")


def signed(value: int, bits: int) -> int:
    """Return a number of so many bits whose topmost is its sign."""
    return value - (1 << bits) if value >> bits - 1 & 1 else value


def call_target(kernel: Kernel, address: int) -> int | None:
    """Return what the direct call before an address calls: bl, or pcaddu18i and jirl of one register."""
    code = code_before(kernel, address, 8)
    if code is None:
        return None
    first, last = int.from_bytes(code[:4], "little"), int.from_bytes(code[4:], "little")
    if last >> 26 == 0x15:  # bl
        distance = signed((last & 0x3FF) << 16 | last >> 10 & 0xFFFF, 26) << 2
        return (address - 4 + distance) % kernel.memory.top
    if is_indirect(last) and first >> 25 == 0xF and first & 31 == last >> 5 & 31:  # pcaddu18i
        upper, lower = signed(first >> 5 & 0xFFFFF, 20) << 18, signed(last >> 10 & 0xFFFF, 16) << 2
        return (address - 8 + upper + lower) % kernel.memory.top
    return None


def is_indirect(word: int) -> bool:
    """Tell whether an instruction is a call through a register: jirl that leaves the address in ra."""
    return word >> 26 == 0x13 and word & 31 == RA


def follows_call(kernel: Kernel, address: int, callee: str | None = None) -> bool:
    """Tell whether the instruction before an address can be a call.

    callee: the function whose frame lies within.
    """
    last = word_at(kernel, address - 4)
    if last is None:
        return False
    return returns_here(kernel, address, call_target(kernel, address), is_indirect(last), callee)


def target(kernel: Kernel, after: int, mnemonic: str, operands: str) -> int | None:
    """Return where a branch or a direct call goes; the library writes distances from the instruction."""
    if mnemonic in ("bl", "jirl"):
        return call_target(kernel, after)
    found = _HEX.search(operands) if _BRANCH.match(mnemonic) else None
    return (after - 4 + int(found[1], 16)) % kernel.memory.top if found else None


def jumps(mnemonic: str) -> bool:
    """Tell whether a mnemonic is a branch's that is no call."""
    return mnemonic != "bl" and bool(_BRANCH.match(mnemonic))


def whole(name: str) -> str:
    """Return a register by the name that a crash note has for it."""
    return {"s9": "fp", "r21": "u0"}.get(name, name)
