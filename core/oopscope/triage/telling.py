"""Finish a verdict's sentence where a fault was the cause: what the instruction did, with what, from whom."""

from oopscope.inspect.fault import Fault, fault_at
from oopscope.inspect.fault_in_log import fault_in_log
from oopscope.triage.death import Death
from oopscope.triage.faults import fault_address
from oopscope.triage.finding import Verdict
from oopscope.triage.said import said


def told(death: Death, verdict: Verdict) -> Verdict:
    """Return the verdict with its fault, where the stack that was died on shows one, and the processor's own words."""
    if verdict.category in ("software", "hardware"):
        verdict = verdict._replace(evidence=(*verdict.evidence, *said(death)))
    found = _fault(death) if verdict.category == "software" else None
    return verdict if found is None else verdict._replace(fault=found)


def _fault(death: Death) -> Fault | None:
    if death.only_log:
        if death.oops is None or not death.kernel.machine_known:
            return None
        return fault_in_log(death.kernel, death.oops)
    frame, frames = death.fault_frame, death.frames
    if frame is None:
        return None
    at = next((at for at, one in enumerate(frames) if (one.address, one.sp) == (frame.address, frame.sp)), None)
    if at is None:
        return None
    with death.kernel.aside():
        return fault_at(death.kernel, frames, at, fault_address(death))
