"""What a fatal memory fault was about: its address, its registers, and whether a bad pointer was called."""

import re

from oopscope.kernel.frame import Frame
from oopscope.triage.death import Death, Line

_FAULT = (
    r"BUG: kernel NULL pointer dereference|BUG: unable to handle|general protection fault|"
    r"unable to handle kernel (?:NULL pointer|paging request)"
)
_ADDRESS = re.compile(
    r"address:? (?:0x)?([0-9a-f]{4,16})\b|(?:request|dereference) at (?:virtual address )?(?:0x)?([0-9a-f]+)"
)


def memory_fault(death: Death) -> tuple[Line, "re.Match[str]"] | None:
    """Return the line in which the fault handler says what was wrong with an address; None for other deaths."""
    return death.in_oops(_FAULT)


def fault_address(death: Death) -> int | None:
    """Return the address that could not be used, as the fault handler printed it."""
    said = memory_fault(death)
    found = _ADDRESS.search(said[0].text) if said else None
    return int(found[1] or found[2], 16) if found else None


def fault_registers(death: Death) -> dict[str, int]:
    """Return the registers at the fault as the oops printed them, by the field's names; empty without an oops."""
    return death.oops.registers if death.oops else {}


def bad_call(death: Death) -> Frame | None:
    """Return the caller, where the fault was a call through a bad pointer: the faulting pc is itself no code."""
    frames = death.frames
    for i, frame in enumerate(frames):
        if frame is death.fault_frame:
            return next((f for f in frames[i + 1 :] if f.symbol), None) if frame.symbol is None else None
    return None
