"""A memory fault in an interrupt, a softirq or an NMI: no task is to blame, whatever ran at the time."""

from oopscope.triage.death import Death
from oopscope.triage.faults import fault_address, memory_fault
from oopscope.triage.finding import Verdict

PLACES = {"irq": "an interrupt handler", "nmi": "an NMI handler"}  # a softirq runs on whatever it can: it is told so


def check(death: Death) -> Verdict | None:
    """Fire where the frame that faulted stands on an interrupt stack."""
    fault = memory_fault(death)
    frame = death.fault_frame
    if fault is None or frame is None or frame.kind not in PLACES:
        return None
    if death.cut_in_stack:  # what follows may show a softirq
        return None
    address = fault_address(death)
    at = f" at {address:#x}" if address is not None else ""
    place = PLACES[frame.kind]
    evidence = [
        death.from_log(fault[0]),
        death.from_frame(frame, f"{{frame}} faulted, and it stands on the stack of {place}"),
    ]
    entry = next((f for f in death.frames if f.kind == "irq" and f.symbol and f.symbol.startswith("asm_")), None)
    if entry:
        evidence.append(death.from_frame(entry, "{frame}: the interrupt's entry"))
    return death.verdict(
        "software",
        "panic-in-interrupt",
        f"Memory fault in {place}",
        f"{death.where}, run in {place}, used a bad pointer{at}; {death.who} was only interrupted.",
        "certain",
        evidence,
        ("Look at the handler and the data that it was given.", "The interrupted task has nothing to do with it."),
    )
