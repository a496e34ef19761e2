"""What riscv64's instructions tell: calls, and what an instruction names. They are two or four bytes long."""

from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Flow, Writes
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.calls import code_before, returns_here

_BRANCHES = ("beq*", "bne*", "bge*", "bgt*", "ble*", "blt*", "c.beqz", "c.bnez")
FLOW = Flow(
    calls=("jal", "c.jal", "jalr", "c.jalr"),
    jumps=("j", "c.j", *_BRANCHES),
    ends=("j", "c.j", "jr", "c.jr", "ret", "mret", "sret", "ebreak", "c.ebreak", "unimp", "c.unimp"),
    copies=("mv", "c.mv"),
    moves=("mv", "c.mv", "li", "c.li"),
    loads=("ld", "lw*", "lh*", "lb*", "c.ld*", "c.lw*"),
    zeroes=(),
    zero=("zero",),
    relative=True,
    writes=Writes(
        none=(
            *("sb", "sh", "sw", "sd", "fs*", "c.sw*", "c.sd*", "c.fs*", *_BRANCHES),
            *("j", "c.j", "jr", "c.jr", "csrw*", "csrs*", "csrc*", "fence*", "sfence*", "cbo*", "prefetch*"),
        )
    ),
)
_DISTANCE = lazy_re(r"(-?(?:0x[0-9a-f]+|\d+))$")
_BRANCH = lazy_re(r"^(?:c\.)?(?:j|jal|b\w+)$")


def call_target(kernel: Kernel, address: int) -> int | None:
    """Return what the direct call before an address calls: jal ra, or auipc and jalr of one register."""
    code = code_before(kernel, address, 8)
    if code is None:
        return None
    first, last = int.from_bytes(code[:4], "little"), int.from_bytes(code[4:], "little")
    if last & 0xFFF == 0xEF:  # jal ra, n
        distance = (last >> 21 & 0x3FF) << 1 | (last >> 20 & 1) << 11 | (last >> 12 & 0xFF) << 12 | (last >> 31) << 20
        return (address - 4 + distance - ((last >> 31) << 21)) % kernel.memory.top
    if last & 0x7FFF == 0xE7 and last & 0xFFF == 0xE7 and first & 0x7F == 0x17 and first >> 7 & 31 == last >> 15 & 31:
        upper = (first & 0xFFFFF000) - ((first >> 31) << 32)
        lower = (last >> 20) - ((last >> 31) << 12)
        return (address - 8 + upper + lower) % kernel.memory.top
    return None


def follows_call(kernel: Kernel, address: int, callee: str | None = None) -> bool:
    """Tell whether the instruction before an address can be a call: jal or jalr that leaves the address in ra.

    callee: the function whose frame lies within.
    """
    code = code_before(kernel, address, 4)
    if code is None:
        return False
    word, half = int.from_bytes(code, "little"), int.from_bytes(code[2:], "little")
    indirect = word & 0x7FFF == 0xE7 or (half & 0xF07F == 0x9002 and half & 0xF80 != 0)  # jalr ra, n(reg); c.jalr
    return returns_here(kernel, address, call_target(kernel, address), indirect, callee)


def target(kernel: Kernel, after: int, mnemonic: str, operands: str) -> int | None:
    """Return where a branch or a direct call goes; the library writes distances from the instruction."""
    if mnemonic in FLOW.calls:
        return call_target(kernel, after)
    found = _DISTANCE.search(operands) if _BRANCH.match(mnemonic) else None
    if found is None:
        return None
    return (after - (2 if mnemonic.startswith("c.") else 4) + int(found[1], 0)) % kernel.memory.top


def jumps(mnemonic: str) -> bool:
    """Tell whether a mnemonic is a branch's that is no call."""
    return bool(_BRANCH.match(mnemonic)) and mnemonic not in ("jal", "c.jal")


def whole(name: str) -> str:
    """Return a register by the name that a crash note has for it."""
    return {"fp": "s0"}.get(name, name)
