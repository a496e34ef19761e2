"""What s390x's instructions tell: calls. They are two, four or six bytes long, as their first two bits say."""

from oopscope.kernel.kernel import Kernel
from oopscope.kernel.machine import Flow, Writes
from oopscope.lazy_re import lazy_re
from oopscope.machine.common.calls import code_before, returns_here

MONITOR_CALL, ILLEGAL = b"\xaf\0\0\0", b"\0\x01"  # mc 0, 0; .short 1
_COMPARES = ("c", "ch*", "cy", "cr", "crl", "cfi", "cg*", "ci*", "cl*", "crj*", "crb*", "crt*")
_RETURNS = tuple(
    f"b{condition}r" for condition in ("e", "ne", "h", "nh", "l", "nl", "he", "nhe", "le", "nle", "o", "no")
)
FLOW = Flow(
    calls=("brasl", "bras", "basr"),
    jumps=(
        "j*",
        "brcl",
        "brc",
        "brct*",
        "brx*",
        "cgij*",
        "cgrj*",
        "cij*",
        "crj*",
        "clgij*",
        "clgrj*",
        "clij*",
        "clrj*",
    ),
    ends=("j", "jg", "br", "b", "lpswe*"),
    copies=("lgr", "ltgr"),
    moves=("lgr", "ltgr", "lghi", "lgfi"),
    loads=("lg", "ltg", "llgf", "lgf", "llgt"),
    zeroes=("xgr",),
    whole_names=True,
    writes=Writes(
        every=("srst*", "clst", "mvst", "mvcl*", "clcl*"),
        span=("lmg", "lm", "lmy"),
        pair=("dl*", "dsg*", "d", "dr", "ml*", "m", "mr", "mfy", "flogr", "cds*", "lpq", "srd*", "sld*"),
        none=(
            *("st*", "j*", "b", "br", "bcr", *_RETURNS, "brc", "brcl", "tm*", "ex*", "pfd*", "niai", "mc"),
            *("ipte", "idte", "sske", "lctl*", "lpsw*", "ssm", "spx", *_COMPARES),
        ),
    ),
)
_BRANCH = lazy_re(r"^(?:j|jg|br|b)[a-z]*$")
_ADDRESS = lazy_re(r"(0x[0-9a-f]+)$")


def call_target(kernel: Kernel, address: int) -> int | None:
    """Return what the direct call (brasl or bras with r14) before an address calls; None for no such call."""
    code = code_before(kernel, address, 6)
    if code is None:
        return None
    if code[:2] == b"\xc0\xe5":
        return (address - 6 + 2 * int.from_bytes(code[2:], "big", signed=True)) % kernel.memory.top
    if code[2:4] == b"\xa7\xe5":
        return (address - 4 + 2 * int.from_bytes(code[4:], "big", signed=True)) % kernel.memory.top
    return None


def follows_call(kernel: Kernel, address: int, callee: str | None = None) -> bool:
    """Tell whether the instruction before an address can be a call: brasl, bras, or basr with r14.

    callee: the function whose frame lies within.
    """
    code = code_before(kernel, address, 2)
    if code is None or address % 2:
        return False
    indirect = code[0] == 0x0D and code[1] >> 4 == 14
    return returns_here(kernel, address, call_target(kernel, address), indirect, callee)


def stopped_at(kernel: Kernel, pc: int) -> int:
    """Return where the instruction of BUG() or WARN() before pc is, which pc is behind; pc for any other."""
    code = code_before(kernel, pc, 4) or b""
    return pc - 4 if code == MONITOR_CALL else pc - 2 if code[2:] == ILLEGAL else pc


def target(kernel: Kernel, _after: int, mnemonic: str, operands: str) -> int | None:
    """Return the address that an instruction names: where it branches, or what larl makes."""
    if not _BRANCH.match(mnemonic) and mnemonic not in ("brasl", "bras", "larl"):
        return None
    found = _ADDRESS.search(operands)
    return int(found[1], 16) % kernel.memory.top if found else None


def jumps(mnemonic: str) -> bool:
    """Tell whether a mnemonic is a branch's that is no call."""
    return bool(_BRANCH.match(mnemonic)) and mnemonic not in ("brasl", "bras", "basr")


def whole(name: str) -> str:
    """Return a register by the name that a crash note has for it: the library tells some by their numbers alone."""
    return f"r{name}" if name.isdecimal() else name.removeprefix("%")
