"""What PowerPC's instructions tell: calls. Each is one word."""

import re

from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Flow, Writes
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.calls import returns_here, word_at

LOCAL_ENTRIES = (0, 8)  # ELFv2: a call within the kernel passes over what sets up r2
_BRANCHES = ("beq*", "bne*", "bge*", "bgt*", "ble*", "blt*", "bso*", "bns*", "bun*", "bnu*", "bd*", "bc*")
FLOW = Flow(
    calls=("bl", "bla", "bctrl", "blrl"),
    jumps=("b", "ba", *_BRANCHES),
    ends=("b", "ba", "blr", "bctr", "rfid", "hrfid", "rfscv", "trap"),
    copies=("mr",),
    moves=("mr", "li"),
    loads=("ld", "lwz", "lwa", "lhz", "lha", "lbz"),
    zeroes=(),
    landing=LOCAL_ENTRIES[-1],
    whole_names=True,
    writes=Writes(
        base=("lbzu*", "lhzu*", "lhau*", "lwzu*", "lwaux", "ldu*", "stbu*", "sthu*", "stwu*", "stdu*"),
        none=(
            *("st*", "cmpd*", "cmpl*", "cmpw*", "b", "ba", "bl", "bla", *_BRANCHES, "tw*", "td*", "mt*"),
            *("dc*", "icb*", "slb*", "tlb*"),
        ),
    ),
)
_BRANCH = lazy_re(r"^b[a-z]*[+-]?$")
_ADDRESS = lazy_re(r"(0x[0-9a-f]+)$")


def call_target(kernel: Kernel, address: int) -> int | None:
    """Return what the direct call (bl) before an address calls; None for no such call."""
    word = word_at(kernel, address - 4)
    if word is None or word & 0xFC000003 != 0x48000001:
        return None
    return (address - 4 + (word & 0x3FFFFFC) - ((word & 0x2000000) << 1)) % kernel.memory.top


def follows_call(kernel: Kernel, address: int, callee: str | None = None) -> bool:
    """Tell whether the instruction before an address can be a call: bl, bctrl or blrl.

    callee: the function whose frame lies within.
    """
    if address % 4:
        return False
    indirect = word_at(kernel, address - 4) in (0x4E800421, 0x4E800021)
    return returns_here(kernel, address, call_target(kernel, address), indirect, callee, LOCAL_ENTRIES)


def target(kernel: Kernel, _after: int, mnemonic: str, operands: str) -> int | None:
    """Return where a branch goes."""
    found = _ADDRESS.search(operands) if _BRANCH.match(mnemonic) else None
    return int(found[1], 16) % kernel.memory.top if found else None


def jumps(mnemonic: str) -> bool:
    """Tell whether a mnemonic is a branch's that is no call."""
    return bool(_BRANCH.match(mnemonic)) and not mnemonic.rstrip("+-").endswith("l")


def whole(name: str) -> str:
    """Return a register by the name that a crash note has for it."""
    return {"lr": "link", "cr": "ccr"}.get(name, f"gp{name}" if re.fullmatch(r"r\d+", name) else name)
