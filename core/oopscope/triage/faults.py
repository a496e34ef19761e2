"""What a fatal memory fault was about: its address and registers, how it was used, whether a bad pointer was called."""

import re

from oopscope.inspect.meaning import number_meaning
from oopscope.kernel.frame import Frame
from oopscope.lazy_re import lazy_re
from oopscope.triage.death import Death, Line
from oopscope.triage.wording import address_of, fault_of

# The fault handlers' own words, of every machine.
_FAULT = lazy_re(
    r"^(?:Oops: )?(?:BUG: [Kk]ernel NULL pointer|BUG: [Uu]nable to handle|general protection fault|"
    r"Kernel attempted to |"
    r"CR2: [0-9a-f]{8,16}\s*$|"  # all that is left of a page fault whose beginning is lost
    r"(?:CPU \d+ )?[Uu]nable to handle kernel|kernel tried to execute|Unhandled fault: .*fault )"
)
# Where the fault handler's line is lost: the line of die(), which no other trap prints so; x86's has its registers.
_DIED = lazy_re(
    r"^(?:Oops: (?:Oops: )?[0-9a-f]{4,8} |Internal error: (?P<named>Oops)?: [0-9a-f]{1,16} |"
    r"Oops: (?P<power>Kernel access of bad area), sig: \d+ )\["
)
_OTHERWISE = lazy_re(r"kernel BUG at |external abort|stack guard page|alignment exception")
_NULL = lazy_re(r"NULL pointer|[Uu]nable to handle kernel NULL")
_RANGE = lazy_re(r"KASAN: (?P<what>null-ptr-deref|user-memory-access)[\w ]* in range \[0x(?P<address>[0-9a-f]+)-")
_CHECKED = lazy_re(r"BUG: KASAN: null-ptr-deref in ")
AT_ONCE_NS = 1_000_000_000  # the report's own printing takes so long
_NO_CODE = lazy_re(r"NX-protected|instruction fetch|execute from non-executable|execute user page|execution of user")
_THUNK = lazy_re(r"__x86_indirect_(?:jump_|call_)?thunk_\w+|__x86_retpoline_\w+")
PAGE = 4096
PRESENT, WRITE, USER, FETCH = 1, 2, 4, 16  # bits of x86's error code of a page fault


def memory_fault(death: Death) -> tuple[Line, "re.Match[str]"] | None:
    """Return the line in which the fault handler says what was wrong with an address; None for other deaths."""
    said = death.in_oops(_FAULT)
    if said is not None or death.oops is None or death.in_oops(_OTHERWISE):
        return said
    died = death.in_oops(_DIED)
    if died is not None and (
        died[1]["named"] or died[1]["power"] or {"cr2", "rax", "eax"} & death.oops.registers.keys()
    ):
        return died
    return fault_of(death, "null", "page", "execute", "user")


def fault_address(death: Death) -> int | None:
    """Return the address that could not be used: where KASAN reckoned one that, else as the handler printed it."""
    if death.oops is None:
        return None
    reckoned = death.oops.find(_RANGE)
    if reckoned is not None:
        return int(reckoned[1]["address"], 16)
    said, fault = death.oops.fault_address, memory_fault(death)
    if said is not None or fault is None or "general protection" in fault[0].text:  # CR2 is of another fault then
        return said
    named = death.oops.registers.get("cr2", address_of(death))
    pc = death.oops.pc
    return pc.address if named is None and pc is not None and pc.address and executed(death) else named


def null_pointer(death: Death) -> Line | None:
    """Return the line that says that a pointer was NULL, or an offset from it in the first page; None elsewhere."""
    said = memory_fault(death)
    if death.oops is None or said is None:
        return None
    reckoned = death.oops.find(_RANGE)
    if reckoned is not None:
        line: Line = death.lines[reckoned[0]]
        return line if reckoned[1]["what"] == "null-ptr-deref" else None
    address = fault_address(death)
    if "general protection" in said[0].text:
        return _checked_null(death)
    return said[0] if _NULL.search(said[0].text) or (address is not None and address < PAGE) else None


def _checked_null(death: Death) -> Line | None:
    """Return the line in which KASAN had said that the pointer was NULL, of the same task and place; None elsewhere."""
    report, oops = death.before("memory-error", within=AT_ONCE_NS), death.oops
    if report is None or oops is None or _CHECKED.match(report.title) is None or not report.frames:
        return None
    name = oops.pc.symbol if oops.pc is not None else None
    same = report.pid in (None, oops.pid) and name is not None and name in report.title
    return death.lines[report.row] if same else None


def below_zero(death: Death) -> str | None:
    """Return in words what an address in the last page comes of; None where the address is another.

    It is an error code that was taken for a pointer where a register holds one just below the address; else that is
    only likely, for a member that lies before a NULL pointer looks the same.
    """
    address = fault_address(death)
    bits = 32 if address is not None and address < 1 << 32 else 64
    if address is None or address < (1 << bits) - PAGE:
        return None
    near = sorted({value for value in fault_registers(death).values() if 0 <= address - value < PAGE})
    known = [m.words for m in (number_meaning(value, bits) for value in near) if m and m.kind == "error" and m.sure]
    if len(known) == 1:
        return f"the error code {known[0]} as a pointer"
    return "an address just below zero: an error code taken for a pointer, or a member before a NULL one"


def fault_registers(death: Death) -> dict[str, int]:
    """Return the registers at the fault as the oops printed them, by the field's names; empty without an oops."""
    return death.oops.registers if death.oops else {}


def executed(death: Death) -> bool:
    """Return whether the fault was in fetching an instruction: from data, a program's page or nowhere."""
    if death.in_oops(_NO_CODE):
        return True
    return bool((page_fault_code(death) or 0) & FETCH)


def page_fault_code(death: Death) -> int | None:
    """Return the error code of a page fault, as x86 has it; None elsewhere."""
    oops = death.oops
    if oops is None or oops.die is None or not re.match(r"Oops", oops.die["name"]) or oops.error_code is None:
        return None
    said = memory_fault(death)
    by_x86 = said is not None and said[0].text.startswith(("BUG: unable", "BUG: kernel", "kernel tried"))
    return oops.error_code if by_x86 else None


def bad_call(death: Death) -> Frame | None:
    """Return the caller, where the fault was a call through a bad pointer: pc is no code, or the compiler's thunk.

    From there the kernel cannot unwind, and prints guesses alone: the first is what the stack pointer was at.
    """
    frames = death.frames
    for i, frame in enumerate(frames):
        if frame is death.fault_frame:
            thunk = frame.symbol is not None and _THUNK.match(frame.symbol)
            if frame.symbol is not None and not thunk:
                return None
            behind = [f for f in frames[i + 1 :] if f.symbol]
            return next((f for f in behind if f.reliable), behind[0] if behind and executed(death) else None)
    return None
