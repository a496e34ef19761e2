"""Memory was used after it was freed: KASAN's words, or SLUB's poison in the pointer that faulted.

Follows include/linux/poison.h: freed objects are filled with 0x6b; list nodes taken out get LIST_POISON1 and 2.
"""

from oopscope.inspect.fault_in_log import fault_in_log
from oopscope.triage.checkers import found
from oopscope.triage.death import Death
from oopscope.triage.faults import bad_call, fault_address, fault_registers, memory_fault
from oopscope.triage.finding import Evidence, Source, Verdict
from oopscope.triage.freed import freer, life
from oopscope.triage.freed import told as life_told

POISON = 0x6B6B6B6B6B6B6B6B
TAGLESS = (1 << 56) - 1
LIST_POISON = (0xDEAD000000000100, 0xDEAD000000000122, 0xDEAD000000000200)
NEAR = 4096


def check(death: Death) -> Verdict | None:
    """Fire on KASAN's or KFENCE's report before the end, or a fault at a poisoned address."""
    seen = found(death)
    said = seen if seen is not None and "use-after" in seen.what else None
    address = _poisoned(death)
    poison = _poison(address)
    if said is None and poison is None:
        return None
    evidence = [death.from_log(said.line)] if said else []
    if poison and address is not None:
        fault = memory_fault(death)
        if fault and not evidence:
            evidence.append(death.from_log(fault[0]))
        evidence.append(
            Evidence(f"the address that was used, {address:#x}, is {poison}", Source("register", "cr2", address))
        )
    culprit = said.culprit if said else bad_call(death)
    object_ = life(said.report if said else None)
    evidence += life_told(death, object_)
    return death.verdict(
        "software",
        "use-after-free",
        "Use after free",
        f"{culprit or death.where} used memory {freer(object_) or 'that had been freed'}, {death.by}.",
        "certain" if said else "likely",
        evidence,
        ("Find who freed the object, and which reference was not counted.", "Boot with slub_debug=FZPU, or KASAN."),
        culprit=culprit,
    )


def _poisoned(death: Death) -> int | None:
    """The address that faulted or was jumped to; the processor gives none for a non-canonical one, the registers do."""
    if memory_fault(death) is None:
        return None
    frame = death.fault_frame
    candidates = [fault_address(death), frame.address if frame else None]
    if fault_address(death) is None:
        # What list_del() is about to write stands in registers by chance; what SLUB filled an object with does not.
        candidates += _used(death) or [v for v in fault_registers(death).values() if _is_slubs(v)]
    return next((c for c in candidates if _poison(c)), None)


def _used(death: Death) -> list[int | None]:
    """Return what the instruction used, where the oops prints its code; a register alone may hold poison by chance."""
    oops = death.oops if death.only_log and death.kernel.machine_known else None
    used = fault_in_log(death.kernel, oops) if oops is not None else None
    return [used.value, used.address] if used is not None and used.register is not None else []


def _is_slubs(address: int) -> bool:
    tagless = address >> 48 == POISON >> 56  # the top byte, which arm64 does not count, is printed as zero
    return abs(address - POISON) < NEAR or (tagless and abs(address - (POISON & TAGLESS)) < NEAR)


def _poison(address: int | None) -> str | None:
    if address is None:
        return None
    if _is_slubs(address):
        return "what SLUB fills freed objects with"
    if any(0 <= address - p < 0x40 for p in LIST_POISON):
        return "what list_del() leaves in a node that was taken out of its list"
    return None
